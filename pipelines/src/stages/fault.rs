//! What went wrong on the device, in the words of the contract.

use limn_pipeline::PipelineError;
use tch::{Device, TchError};

/// libtorch tells the kinds of its errors apart by their text alone.
pub fn torch(device: Device, error: &TchError) -> PipelineError {
    let text = error.to_string();
    // The first line says what; the rest is a C++ stack.
    let reason = text.lines().next().unwrap_or_default().to_owned();
    if is_out_of_memory(&text) {
        return PipelineError::OutOfMemory {
            device: crate::device::name(device),
            reason,
        };
    }
    PipelineError::Failed {
        pipeline: "torch".to_owned(),
        reason,
    }
}

/// As CUDA's allocator, MPS's and the CPU's say it (c10/cuda/CUDACachingAllocator.cpp, c10/core/CPUAllocator.cpp).
fn is_out_of_memory(text: &str) -> bool {
    [
        "out of memory",
        "can't allocate memory",
        "CUBLAS_STATUS_ALLOC_FAILED",
    ]
    .iter()
    .any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use tch::{Kind, Tensor};

    use super::*;

    #[test]
    fn too_large_a_tensor_is_out_of_memory() {
        let error = Tensor::f_zeros([1 << 50], (Kind::Float, Device::Cpu)).unwrap_err();
        let error = torch(Device::Cpu, &error);
        assert!(
            matches!(&error, PipelineError::OutOfMemory { device, .. } if device == "cpu"),
            "{error}"
        );
    }

    #[test]
    fn shapes_that_do_not_fit_are_a_failure() {
        let (a, b) = (
            Tensor::from_slice(&[1.0, 2.0]),
            Tensor::from_slice(&[1.0, 2.0, 3.0]),
        );
        let error = torch(Device::Cpu, &a.f_add(&b).unwrap_err());
        assert!(matches!(error, PipelineError::Failed { .. }));
    }
}
