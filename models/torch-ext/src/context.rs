//! Whether a GPU still does anything. After some errors (an address out of bounds, a fault of its memory) CUDA answers every further
//! call of the process with the same error; only another process can use the device then.

use crate::cuda::CudaError;
use crate::runtime::{Code, check, symbol};

/// Waits for all work on CUDA device `index`. The calling thread is on that device from then on.
/// (`cudaDeviceSynchronize`, <https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__DEVICE.html>)
///
/// # Errors
/// When CUDA is not loaded; [`CudaError::Call`] when the device does nothing any more in this process.
pub fn answers(index: usize) -> Result<(), CudaError> {
    // SAFETY: both signatures are those of `cuda_runtime_api.h`.
    let (set_device, synchronize) = unsafe {
        (
            symbol::<unsafe extern "C" fn(i32) -> Code>("cudaSetDevice")?,
            symbol::<unsafe extern "C" fn() -> Code>("cudaDeviceSynchronize")?,
        )
    };
    let device = i32::try_from(index).unwrap_or(i32::MAX);
    // SAFETY: takes a number; one that names no device is answered by an error.
    check("cudaSetDevice", unsafe { set_device(device) })?;
    // SAFETY: takes nothing.
    check("cudaDeviceSynchronize", unsafe { synchronize() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::cuda::{Cuda, load_cuda};

    #[test]
    fn a_device_that_is_well_answers_and_one_that_is_not_there_does_not() {
        match load_cuda().unwrap() {
            Cuda::Loaded => {
                answers(0).unwrap();
                assert!(matches!(answers(1000), Err(CudaError::Call { .. })));
            }
            _ => assert!(matches!(answers(0), Err(CudaError::NotLoaded))),
        }
    }
}
