//! What went wrong on the device, in the words of the contract.

use limn_pipeline::PipelineError;
use limn_torch_ext::context;
use limn_torch_ext::cuda::CudaError;
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
    failed(device, "torch", reason, context::answers)
}

/// The same of an error of the stage clock.
pub fn clock(device: Device, error: &CudaError) -> PipelineError {
    failed(device, "clock", error.to_string(), context::answers)
}

/// A failure of this step, or the end of the device in this process, which `answers` knows.
fn failed(
    device: Device,
    what: &str,
    reason: String,
    answers: impl Fn(usize) -> Result<(), CudaError>,
) -> PipelineError {
    if let Device::Cuda(index) = device
        && let Err(CudaError::Call { .. }) = answers(index)
    {
        return PipelineError::DeviceLost {
            reason,
            under_it: true,
        };
    }
    PipelineError::failed(what, reason)
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
#[allow(clippy::unwrap_used)]
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
    fn a_gpu_that_answers_no_more_is_lost_and_one_that_does_is_not() {
        let (call, code) = ("cudaDeviceSynchronize", 700);
        let error = |device, answers: Result<(), CudaError>| {
            let reason = "CUDA error: an illegal memory access was encountered".to_owned();
            failed(device, "torch", reason, |_| answers.clone())
        };
        let gone = Err(CudaError::Call { call, code });
        assert!(matches!(
            error(Device::Cuda(0), gone.clone()),
            PipelineError::DeviceLost { under_it: true, .. }
        ));
        for (device, answers) in [(Device::Cuda(0), Ok(())), (Device::Cpu, gone)] {
            assert!(matches!(
                error(device, answers),
                PipelineError::Failed { .. }
            ));
        }
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
