//! libtorch's CUDA half, loaded at run time, so that one binary serves machines with and without a GPU.
//!
//! The linker drops `libtorch_cuda.so`: nothing of ours names a symbol in it, and it registers itself with libtorch in
//! its constructors. [`load_cuda`] maps it by hand where there is a driver to drive.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_LAZY, RTLD_LOCAL, RTLD_NOW};

/// The kernel driver's own library; every machine with an NVIDIA driver has it, and no other.
const DRIVER: &str = "libcuda.so.1";

/// What a look for CUDA found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cuda {
    /// libtorch now has its CUDA half. Whether a device answers is for `tch::Cuda` to say.
    Loaded,
    /// The machine has no NVIDIA driver.
    NoDriver,
    /// There is a driver, but this libtorch was built for the CPU alone; the folder that it lies in.
    CpuOnly(PathBuf),
}

/// Why CUDA could not be used although it is there.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CudaError {
    /// `libtorch_cuda.so` is there and does not load: most often a CUDA package beside libtorch is missing or too old.
    #[error("cuda library cannot be loaded: {reason}: {path}")]
    Load {
        /// What the dynamic linker says.
        reason: String,
        /// The library.
        path: PathBuf,
    },
    /// libtorch itself was not found among this process's libraries.
    #[error("libtorch's folder cannot be found: {0}")]
    NoLibtorch(String),
    /// CUDA is asked something and is not loaded.
    #[error("cuda library is not loaded")]
    NotLoaded,
    /// The CUDA runtime lacks a function.
    #[error("cuda runtime has no `{symbol}`: {reason}")]
    Symbol {
        /// The C function.
        symbol: &'static str,
        /// What the dynamic linker says.
        reason: String,
    },
    /// A call of the CUDA runtime failed; a number of `cudaError_t`.
    #[error("cuda runtime call `{call}` failed with error `{code}`")]
    Call {
        /// The C function.
        call: &'static str,
        /// `cudaError_t`, <https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__TYPES.html>.
        code: i32,
    },
}

/// What the first call found, and the library, never closed: libtorch keeps pointers into it until the process ends.
static FOUND: OnceLock<Result<(Cuda, Option<Library>), CudaError>> = OnceLock::new();

/// Loads `libtorch_cuda.so` from beside the loaded libtorch, where it exists and the machine has an NVIDIA driver.
/// The first call does it; later ones repeat its answer.
///
/// Call it before any other call into tch that may ask for CUDA: libtorch looks for its CUDA half once, and having
/// found none it never looks again.
///
/// # Errors
/// When driver and library are there and the library does not load. Never answered by going on with the CPU in silence.
pub fn load_cuda() -> Result<Cuda, CudaError> {
    match FOUND.get_or_init(find) {
        Ok((cuda, _)) => Ok(cuda.clone()),
        Err(error) => Err(error.clone()),
    }
}

/// The loaded library. A symbol looked up in it is also looked for in what it links, the CUDA runtime among others.
pub(crate) fn library() -> Result<&'static Library, CudaError> {
    match FOUND.get() {
        Some(Ok((_, Some(library)))) => Ok(library),
        Some(Err(error)) => Err(error.clone()),
        _ => Err(CudaError::NotLoaded),
    }
}

fn find() -> Result<(Cuda, Option<Library>), CudaError> {
    if open(Path::new(DRIVER), RTLD_LAZY | RTLD_LOCAL).is_err() {
        return Ok((Cuda::NoDriver, None));
    }
    let folder = libtorch_folder()?;
    let path = folder.join("libtorch_cuda.so");
    if !path.is_file() {
        return Ok((Cuda::CpuOnly(folder), None));
    }
    // Global, because libraries that libtorch loads later (linear algebra, compiled kernels) expect its symbols there.
    match open(&path, RTLD_NOW | RTLD_GLOBAL) {
        Ok(library) => Ok((Cuda::Loaded, Some(library))),
        Err(error) => Err(CudaError::Load {
            reason: why(&error),
            path,
        }),
    }
}

fn open(path: &Path, flags: i32) -> Result<Library, libloading::Error> {
    // SAFETY: loading runs the library's constructors. Both libraries opened here, NVIDIA's driver and libtorch's CUDA
    // half, are made to be loaded at any time into any thread, and theirs only fill their own tables.
    unsafe { Library::open(Some(path), flags) }
}

/// libloading keeps the dynamic linker's own words in the error's source.
pub(crate) fn why(error: &libloading::Error) -> String {
    error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

/// The folder of the libtorch that this process runs with, whichever way the dynamic linker found it.
fn libtorch_folder() -> Result<PathBuf, CudaError> {
    let maps = fs::read_to_string("/proc/self/maps")
        .map_err(|error| CudaError::NoLibtorch(error.to_string()))?;
    folder_in(&maps).ok_or_else(|| {
        CudaError::NoLibtorch("`libtorch_cpu.so` is not among the mapped files".to_owned())
    })
}

/// In `/proc/self/maps` a line's sixth field is the file, which may hold blanks.
fn folder_in(maps: &str) -> Option<PathBuf> {
    let file = maps.lines().find_map(|line| {
        let file = Path::new(line.get(line.find('/')?..)?);
        (file.file_name()? == "libtorch_cpu.so").then_some(file)
    })?;
    file.parent().map(Path::to_path_buf)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn libtorch_lies_where_it_is_mapped_from() {
        let maps = "7f0-7f1 r--p 00000000 08:01 12 /usr/lib/libc.so.6\n\
                    7f2-7f3 r-xp 00000000 08:01 13                 /opt/my torch/lib/libtorch_cpu.so\n";
        assert_eq!(folder_in(maps), Some(PathBuf::from("/opt/my torch/lib")));
        assert_eq!(
            folder_in("7f0-7f1 r--p 0 08:01 12 \n7f0-7f1 r--p 0 08:01 12 /usr/lib/libc.so.6"),
            None
        );
    }

    #[test]
    fn this_process_runs_with_a_libtorch() {
        // A call into tch keeps the linker from dropping libtorch out of this binary.
        assert_eq!(tch::Tensor::from_slice(&[1.0f32]).size(), [1]);
        assert!(libtorch_folder().unwrap().join("libtorch_cpu.so").is_file());
    }

    #[test]
    fn the_answer_agrees_with_the_machine_and_is_repeated() {
        let driver = open(Path::new(DRIVER), RTLD_LAZY | RTLD_LOCAL).is_ok();
        let found = load_cuda().unwrap();
        assert_eq!(found == Cuda::NoDriver, !driver);
        assert_eq!(load_cuda().unwrap(), found);
        assert_eq!(library().is_ok(), found == Cuda::Loaded);
        assert_eq!(tch::Cuda::is_available(), found == Cuda::Loaded);
    }

    #[test]
    fn a_library_that_is_broken_says_why() {
        let path = std::env::temp_dir().join(format!("limn-broken-{}.so", std::process::id()));
        fs::write(&path, "no library").unwrap();
        let message = why(&open(&path, RTLD_NOW | RTLD_GLOBAL).unwrap_err());
        fs::remove_file(&path).unwrap();
        assert!(message.contains("limn-broken"), "{message}");
    }
}
