//! Which device paints: what the operator asked for, resolved once at start.

use limn_pipeline::{DeviceInfo, PipelineError};

/// Resolves `--device` and `--dtype` in a build without libtorch: pictures are made on the CPU or not at all.
///
/// # Errors
/// [`PipelineError::Load`] if anything but `auto`, `cpu` and `f32` is asked for.
#[cfg(not(feature = "torch"))]
pub fn resolve(device: &str, dtype: &str) -> Result<DeviceInfo, PipelineError> {
    let refuse = |what: &str, only: &str| PipelineError::Load {
        what: what.to_owned(),
        reason: format!("this build has no libtorch and knows only {only}"),
        hint: Some("build it with the feature `torch`".to_owned()),
    };
    if !matches!(device, "auto" | "cpu") {
        return Err(refuse(device, "the device `cpu`"));
    }
    if !matches!(dtype, "auto" | "f32") {
        return Err(refuse(dtype, "the number type `f32`"));
    }
    Ok(DeviceInfo {
        device: "cpu".to_owned(),
        dtype: "f32".to_owned(),
        why: "cpu, f32: this build has no libtorch".to_owned(),
    })
}

/// Resolves `--device` and `--dtype`.
///
/// # Errors
/// [`PipelineError::Load`] if the device or number type is unknown.
#[cfg(feature = "torch")]
pub fn resolve(device: &str, dtype: &str) -> Result<DeviceInfo, PipelineError> {
    if !matches!(device, "auto" | "cpu") || !matches!(dtype, "auto" | "f32") {
        return Err(PipelineError::Load {
            what: format!("{device}, {dtype}"),
            reason: "only `cpu` with `f32` is known".to_owned(),
            hint: None,
        });
    }
    Ok(DeviceInfo {
        device: "cpu".to_owned(),
        dtype: "f32".to_owned(),
        why: "cpu, f32".to_owned(),
    })
}

#[cfg(all(test, not(feature = "torch")))]
mod tests {
    use super::*;

    #[test]
    fn without_libtorch_the_cpu_is_all_there_is() {
        let info = resolve("auto", "auto").unwrap();
        assert_eq!((info.device.as_str(), info.dtype.as_str()), ("cpu", "f32"));
        let error = resolve("cuda:1", "auto").unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot load `cuda:1`: this build has no libtorch and knows only the device `cpu`"
        );
        assert!(resolve("cpu", "bf16").is_err());
    }
}
