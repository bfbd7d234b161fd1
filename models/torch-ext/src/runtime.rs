//! The CUDA runtime, in whose functions libtorch's CUDA half does its work: looked up by name in what is loaded.

use crate::cuda::{CudaError, library, why};

/// `cudaError_t`; zero is success.
pub(crate) type Code = i32;

/// # Safety
/// `T` is the type of the function of that name.
pub(crate) unsafe fn symbol<T: Copy>(name: &'static str) -> Result<T, CudaError> {
    let library = library()?;
    // SAFETY: the caller vouches for `T`.
    let found = unsafe { library.get::<T>(name) };
    match found {
        Ok(function) => Ok(*function),
        Err(error) => Err(CudaError::Symbol {
            symbol: name,
            reason: why(&error),
        }),
    }
}

pub(crate) fn check(call: &'static str, code: Code) -> Result<(), CudaError> {
    if code == 0 {
        Ok(())
    } else {
        Err(CudaError::Call { call, code })
    }
}
