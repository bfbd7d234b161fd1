//! Which device paints: what the operator asked for, resolved once at start.

use limn_pipeline::{DeviceInfo, DeviceMemory, PipelineError};
#[cfg(feature = "torch")]
use tch::{Device, Kind};

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

/// Resolves `--device` and `--dtype`; see [`limn_models::device::resolve`]. Call it before anything else of libtorch.
///
/// # Errors
/// [`PipelineError::Load`] if a name is unknown, or the machine lacks what was asked for.
#[cfg(feature = "torch")]
pub fn resolve(device: &str, dtype: &str) -> Result<DeviceInfo, PipelineError> {
    let chosen =
        limn_models::device::resolve(device, dtype).map_err(|error| PipelineError::Load {
            what: format!("device {device}, dtype {dtype}"),
            reason: error.to_string(),
            hint: Some("`--device auto` takes what there is".to_owned()),
        })?;
    Ok(DeviceInfo {
        device: name(chosen.device),
        dtype: kind_name(chosen.kind).to_owned(),
        why: chosen.reason,
    })
}

/// How full a resolved device is, where it has a memory of its own.
#[cfg(feature = "torch")]
pub fn memory(device: &str) -> Option<DeviceMemory> {
    let Ok((Device::Cuda(index), _)) = parse(device, "f32") else {
        return None;
    };
    let taken = limn_torch_ext::memory::taken(index);
    let (used, total) = taken
        .inspect_err(|error| tracing::debug!("how full is {device}? {error}"))
        .ok()?;
    Some(DeviceMemory { used, total })
}

/// See [`limn_pipeline::Registry::memory`]: what there is without libtorch has no memory of its own.
#[cfg(not(feature = "torch"))]
pub fn memory(_: &str) -> Option<DeviceMemory> {
    None
}

/// The device's name as in `--device`.
#[cfg(feature = "torch")]
pub fn name(device: Device) -> String {
    match device {
        Device::Cuda(index) => format!("cuda:{index}"),
        other => format!("{other:?}").to_lowercase(),
    }
}

#[cfg(feature = "torch")]
fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::BFloat16 => "bf16",
        Kind::Half => "f16",
        _ => "f32",
    }
}

/// The device and the kind of numbers behind the names that [`resolve`] gave.
///
/// # Errors
/// [`PipelineError::Load`] for a name that it never gives.
#[cfg(feature = "torch")]
pub fn parse(device: &str, dtype: &str) -> Result<(Device, Kind), PipelineError> {
    let unknown = |what: &str| PipelineError::Load {
        what: what.to_owned(),
        reason: "no name of a resolved device or number type".to_owned(),
        hint: None,
    };
    let parsed = match device.split_once(':') {
        Some(("cuda", index)) => Device::Cuda(index.parse().map_err(|_| unknown(device))?),
        None if device == "cpu" => Device::Cpu,
        None if device == "mps" => Device::Mps,
        _ => return Err(unknown(device)),
    };
    let kind = match dtype {
        "f32" => Kind::Float,
        "bf16" => Kind::BFloat16,
        "f16" => Kind::Half,
        _ => return Err(unknown(dtype)),
    };
    Ok((parsed, kind))
}

#[cfg(all(test, not(feature = "torch")))]
#[allow(clippy::unwrap_used)]
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

#[cfg(all(test, feature = "torch"))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_devices() {
        for device in [Device::Cpu, Device::Cuda(3), Device::Mps] {
            for kind in [Kind::Float, Kind::BFloat16, Kind::Half] {
                assert_eq!(
                    parse(&name(device), kind_name(kind)).unwrap(),
                    (device, kind)
                );
            }
        }
        assert!(
            parse("auto", "f32").is_err()
                && parse("cuda", "f32").is_err()
                && parse("cpu", "auto").is_err()
        );
    }

    #[test]
    fn a_device_that_does_not_exist_is_refused() {
        let error = resolve("tpu", "f32").unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("cannot load `device tpu, dtype f32`: "),
            "{error}"
        );
    }
}
