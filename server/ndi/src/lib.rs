//! NDI through the library that a user installed, found at run time: nothing of it is needed to build, and where it is not
//! there everything else works. NDI is a registered trademark of Vizrt NDI AB; the library is had at <https://ndi.video>.

mod sys;

use std::ffi::{CStr, CString, c_int};
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::Arc;

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

/// Why nothing is sent.
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
    /// A name or a group with a zero in it.
    #[error("`{0}` is no NDI name")]
    Name(String),
    /// The library made no sender.
    #[error("the NDI library made no sender called `{0}`; is the name taken?")]
    Refused(String),
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

fn broken(path: &Path, error: &libloading::Error) -> NdiError {
    NdiError::Broken {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

/// Pictures that go out: their size and rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Video {
    /// Pixels from left to right; even.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// Pictures a second, as a fraction: 30000 by 1001, not 29.97.
    pub rate: (u32, u32),
}

impl Video {
    /// How many bytes a picture has in UYVY.
    pub fn bytes(&self) -> usize {
        self.width as usize * self.height as usize * 2
    }
}

/// A source on the network, under one name for as long as it lives.
pub struct Sender {
    functions: Arc<Functions>,
    instance: sys::Instance,
    /// One is being sent while the other is filled.
    buffers: [Vec<u8>; 2],
    next: usize,
}

// SAFETY: the library's senders may be used from any thread, one at a time, which `&mut self` sees to.
unsafe impl Send for Sender {}

impl Sender {
    /// A source called `name`, for everybody or for the groups in a list with commas.
    ///
    /// # Errors
    /// If the library makes none.
    pub fn new(ndi: &Ndi, name: &str, groups: Option<&str>) -> Result<Self, NdiError> {
        let text = |text: &str| CString::new(text).map_err(|_| NdiError::Name(text.to_owned()));
        let (owned, groups) = (text(name)?, groups.map(text).transpose()?);
        let create = sys::SendCreate {
            name: owned.as_ptr(),
            groups: groups
                .as_ref()
                .map_or(ptr::null(), |groups| groups.as_ptr()),
            // We pace ourselves, and send no sound.
            clock_video: false,
            clock_audio: false,
        };
        // SAFETY: the strings live until the call is over, which copies them.
        let instance = unsafe { (ndi.0.send_create)(&raw const create) };
        if instance.is_null() {
            return Err(NdiError::Refused(name.to_owned()));
        }
        Ok(Self {
            functions: Arc::clone(&ndi.0),
            instance,
            buffers: [Vec::new(), Vec::new()],
            next: 0,
        })
    }

    /// Sends one picture in UYVY, without waiting until it is out; `fill` writes [`Video::bytes`] of it.
    pub fn send(&mut self, video: Video, fill: impl FnOnce(&mut [u8])) {
        let buffer = &mut self.buffers[self.next];
        buffer.resize(video.bytes(), 0);
        fill(buffer);
        let frame = sys::VideoFrame {
            width: video.width as c_int,
            height: video.height as c_int,
            four_cc: sys::UYVY,
            rate_numerator: video.rate.0 as c_int,
            rate_denominator: video.rate.1 as c_int,
            aspect_ratio: 0.0,
            format: sys::PROGRESSIVE,
            timecode: sys::SYNTHESIZE,
            data: buffer.as_mut_ptr(),
            line_stride: video.width as c_int * 2,
            metadata: ptr::null(),
            timestamp: 0,
        };
        // SAFETY: the buffer stays as it is until the call after the next one, or `drop`: this call gives the other one back.
        unsafe { (self.functions.send_video_async)(self.instance, &raw const frame) };
        self.next = 1 - self.next;
    }

    /// How many receive it now; not to be asked more than once a second.
    pub fn receivers(&self) -> usize {
        // SAFETY: the instance lives; no time to wait means an answer at once.
        let count = unsafe { (self.functions.connections)(self.instance, 0) };
        count.max(0) as usize
    }

    /// Whether a receiver has it on air.
    pub fn tally(&self) -> Tally {
        let mut tally = sys::Tally::default();
        // SAFETY: as above, and `tally` is there to be written.
        unsafe { (self.functions.tally)(self.instance, &raw mut tally, 0) };
        Tally {
            program: tally.on_program,
            preview: tally.on_preview,
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        // SAFETY: nothing gives the buffers back before they go; then nobody uses the instance again.
        unsafe {
            (self.functions.send_video_async)(self.instance, ptr::null());
            (self.functions.send_destroy)(self.instance);
        }
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
