//! The symbols of the NDI library that are used here, as its headers (MIT, "Processing.NDI.*.h", NDI 5 and 6) declare them.

use std::ffi::{c_char, c_int, c_void};

use libloading::{Library, Symbol};

/// `NDIlib_send_instance_t`.
pub type Instance = *mut c_void;

/// `NDIlib_send_create_t`.
#[repr(C)]
pub struct SendCreate {
    pub name: *const c_char,
    pub groups: *const c_char,
    pub clock_video: bool,
    pub clock_audio: bool,
}

/// `NDIlib_video_frame_v2_t`.
#[repr(C)]
pub struct VideoFrame {
    pub width: c_int,
    pub height: c_int,
    pub four_cc: u32,
    pub rate_numerator: c_int,
    pub rate_denominator: c_int,
    pub aspect_ratio: f32,
    pub format: c_int,
    pub timecode: i64,
    pub data: *mut u8,
    pub line_stride: c_int,
    pub metadata: *const c_char,
    pub timestamp: i64,
}

/// `NDIlib_tally_t`.
#[repr(C)]
#[derive(Default)]
pub struct Tally {
    pub on_program: bool,
    pub on_preview: bool,
}

/// `NDIlib_FourCC_video_type_UYVY`.
pub const UYVY: u32 = u32::from_le_bytes(*b"UYVY");
/// `NDIlib_frame_format_type_progressive`.
pub const PROGRESSIVE: c_int = 1;
/// `NDIlib_send_timecode_synthesize`.
pub const SYNTHESIZE: i64 = i64::MAX;

/// The functions, for as long as the library that they are in.
pub struct Functions {
    pub version: unsafe extern "C" fn() -> *const c_char,
    pub initialize: unsafe extern "C" fn() -> bool,
    pub send_create: unsafe extern "C" fn(*const SendCreate) -> Instance,
    pub send_destroy: unsafe extern "C" fn(Instance),
    pub send_video_async: unsafe extern "C" fn(Instance, *const VideoFrame),
    pub connections: unsafe extern "C" fn(Instance, u32) -> c_int,
    pub tally: unsafe extern "C" fn(Instance, *mut Tally, u32) -> bool,
    /// Last, so that it is closed last.
    _library: Library,
}

impl Functions {
    /// Finds all of them in `library`.
    pub fn find(library: Library) -> Result<Self, libloading::Error> {
        // SAFETY: the types are those of the headers, and `library` stays open for as long as the pointers are there.
        unsafe {
            Ok(Self {
                version: *get(&library, b"NDIlib_version\0")?,
                initialize: *get(&library, b"NDIlib_initialize\0")?,
                send_create: *get(&library, b"NDIlib_send_create\0")?,
                send_destroy: *get(&library, b"NDIlib_send_destroy\0")?,
                send_video_async: *get(&library, b"NDIlib_send_send_video_async_v2\0")?,
                connections: *get(&library, b"NDIlib_send_get_no_connections\0")?,
                tally: *get(&library, b"NDIlib_send_get_tally\0")?,
                _library: library,
            })
        }
    }
}

/// # Safety
/// `T` is the symbol's type.
unsafe fn get<'a, T>(
    library: &'a Library,
    name: &[u8],
) -> Result<Symbol<'a, T>, libloading::Error> {
    // SAFETY: as the caller promises.
    unsafe { library.get(name) }
}
