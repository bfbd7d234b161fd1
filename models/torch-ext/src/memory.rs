//! How full a GPU's memory is. libtorch keeps what it has freed for the next tensor, so this says what no other program can have,
//! and not what tensors fill.

use crate::cuda::CudaError;
use crate::runtime::{Code, check, symbol};

/// Bytes that are taken on CUDA device `index`, by whichever program, and bytes in all.
///
/// The calling thread is on that device from then on. It is not led back: to name another device would claim memory there.
/// (`cudaMemGetInfo`, <https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__MEMORY.html>)
///
/// # Errors
/// When CUDA is not loaded, or the device does not answer.
pub fn taken(index: usize) -> Result<(u64, u64), CudaError> {
    // SAFETY: both signatures are those of `cuda_runtime_api.h`.
    let (set_device, memory) = unsafe {
        (
            symbol::<unsafe extern "C" fn(i32) -> Code>("cudaSetDevice")?,
            symbol::<unsafe extern "C" fn(*mut usize, *mut usize) -> Code>("cudaMemGetInfo")?,
        )
    };
    let device = i32::try_from(index).unwrap_or(i32::MAX);
    // SAFETY: takes a number; one that names no device is answered by an error.
    check("cudaSetDevice", unsafe { set_device(device) })?;
    let (mut free, mut total) = (0, 0);
    // SAFETY: both are places to write one `size_t` to.
    check("cudaMemGetInfo", unsafe { memory(&mut free, &mut total) })?;
    Ok((total.saturating_sub(free) as u64, total as u64))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::cuda::{Cuda, load_cuda};

    #[test]
    fn a_machine_with_cuda_says_how_full_it_is_and_others_say_why_not() {
        match load_cuda().unwrap() {
            Cuda::Loaded => {
                let (used, total) = taken(0).unwrap();
                assert!(0 < used && used <= total, "{used} of {total}");
                assert!(matches!(taken(1000), Err(CudaError::Call { .. })));
            }
            _ => assert!(matches!(taken(0), Err(CudaError::NotLoaded))),
        }
    }
}
