//! NDI through the library that a user installed, found at run time: nothing of it is needed to build, and where it is not
//! there everything else works. NDI is a registered trademark of Vizrt NDI AB; the library is had at <https://ndi.video>.

mod finder;
mod receiver;
mod sender;
mod sys;

use std::ffi::{CStr, CString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use finder::{Finder, Found};
pub use receiver::{Picture, Receiver};
pub use sender::{Sender, Video};
use sys::Functions;

/// What the library's file is called, the newest first.
const FILES: &[&str] = if cfg!(windows) {
    &["Processing.NDI.Lib.x64.dll"]
} else if cfg!(target_os = "macos") {
    &["libndi.dylib"]
} else {
    &["libndi.so.6", "libndi.so.5"]
};

/// Where it lies on systems that do not look there by themselves.
const PLACES: &[&str] = if cfg!(target_os = "macos") {
    &["/usr/local/lib", "/Library/NDI SDK for Apple/lib/macOS"]
} else if cfg!(windows) {
    &[]
} else {
    &[
        "/usr/local/lib",
        "/usr/lib",
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib64",
    ]
};

/// Folders that the operator names, the newest version first.
const VARIABLES: &[&str] = &["NDI_RUNTIME_DIR_V6", "NDI_RUNTIME_DIR_V5"];

/// Why nothing is sent or received.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NdiError {
    /// The library is nowhere.
    #[error("the NDI library is not installed: none of {} was found", FILES.join(", "))]
    Missing,
    /// A file of its name is not it.
    #[error("{reason}: {}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// It does not run on this processor.
    #[error("the NDI library does not run on this processor")]
    Processor,
    /// A name, a group or an address with a zero in it.
    #[error("`{0}` is no NDI name")]
    Name(String),
    /// The library made no sender.
    #[error("the NDI library made no sender called `{0}`; is the name taken?")]
    Refused(String),
    /// The library made no finder or receiver.
    #[error("the NDI library refused to {0}")]
    Denied(&'static str),
}

/// The library, loaded. Cloning clones a reference count.
#[derive(Clone)]
pub struct Ndi(Arc<Functions>);

/// Whether a receiver shows a source, and where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Somebody has it on air.
    pub program: bool,
    /// Somebody is about to.
    pub preview: bool,
}

impl Ndi {
    /// Finds and loads the library.
    ///
    /// # Errors
    /// If it is not there, or does not run.
    pub fn load() -> Result<Self, NdiError> {
        let named = VARIABLES
            .iter()
            .filter_map(std::env::var_os)
            .map(PathBuf::from)
            .filter(|folder| folder.is_absolute());
        let folders: Vec<PathBuf> = named.chain(PLACES.iter().map(PathBuf::from)).collect();
        for folder in &folders {
            for file in FILES {
                let path = folder.join(file);
                if path.is_file() {
                    return Self::open(&path);
                }
            }
        }
        for file in FILES {
            // SAFETY: the loader's own path leads to a library of that name or to none; loading it runs its initialisers.
            if let Ok(library) = unsafe { libloading::Library::new(*file) } {
                return Self::begin(library, Path::new(file));
            }
        }
        Err(NdiError::Missing)
    }

    fn open(path: &Path) -> Result<Self, NdiError> {
        // SAFETY: the file has the library's name and lies where the operator or the system put it.
        let library = unsafe { libloading::Library::new(path) };
        let library = library.map_err(|error| broken(path, &error))?;
        Self::begin(library, path)
    }

    fn begin(library: libloading::Library, path: &Path) -> Result<Self, NdiError> {
        let functions = Functions::find(library).map_err(|error| broken(path, &error))?;
        // SAFETY: it takes nothing, and may be called more than once.
        if !unsafe { (functions.initialize)() } {
            return Err(NdiError::Processor);
        }
        Ok(Self(Arc::new(functions)))
    }

    /// What the library says of itself.
    pub fn version(&self) -> String {
        // SAFETY: a string that lives as long as the library.
        let text = unsafe { CStr::from_ptr((self.0.version)()) };
        text.to_string_lossy().into_owned()
    }
}

/// `text` as C has it.
fn owned(text: &str) -> Result<CString, NdiError> {
    CString::new(text).map_err(|_| NdiError::Name(text.to_owned()))
}

/// The same of what may not be there, and then is null.
fn maybe(text: Option<&str>) -> Result<Option<CString>, NdiError> {
    text.map(owned).transpose()
}

fn pointer(text: Option<&CString>) -> *const std::ffi::c_char {
    text.map_or(std::ptr::null(), |text| text.as_ptr())
}

fn broken(path: &Path, error: &libloading::Error) -> NdiError {
    NdiError::Broken {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_it_is_not_installed_it_says_so() {
        // Where it is, that is no fault either.
        if let Err(error) = Ndi::load() {
            assert!(error.to_string().contains(FILES[0]), "{error}");
        }
    }
}
