//! The symbols of the NDI library that are used here, as its headers (MIT, "Processing.NDI.*.h", NDI 5 and 6) declare them.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use libloading::{Library, Symbol};

/// `NDIlib_send_instance_t`, `NDIlib_find_instance_t`, `NDIlib_recv_instance_t`.
pub type Instance = *mut c_void;

/// `NDIlib_send_create_t`.
#[repr(C)]
pub struct SendCreate {
    pub name: *const c_char,
    pub groups: *const c_char,
    pub clock_video: bool,
    pub clock_audio: bool,
}

/// `NDIlib_find_create_t`.
#[repr(C)]
pub struct FindCreate {
    pub show_local: bool,
    pub groups: *const c_char,
    pub extra_ips: *const c_char,
}

/// `NDIlib_source_t`.
#[repr(C)]
pub struct Source {
    pub name: *const c_char,
    pub address: *const c_char,
}

/// `NDIlib_recv_create_v3_t`.
#[repr(C)]
pub struct RecvCreate {
    pub source: Source,
    pub color_format: c_int,
    pub bandwidth: c_int,
    pub allow_fields: bool,
    pub name: *const c_char,
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

impl VideoFrame {
    /// For the library to write into.
    pub fn empty() -> Self {
        Self {
            width: 0,
            height: 0,
            four_cc: 0,
            rate_numerator: 0,
            rate_denominator: 0,
            aspect_ratio: 0.0,
            format: 0,
            timecode: 0,
            data: ptr::null_mut(),
            line_stride: 0,
            metadata: ptr::null(),
            timestamp: 0,
        }
    }
}

/// `NDIlib_tally_t`.
#[repr(C)]
#[derive(Default)]
pub struct Tally {
    pub on_program: bool,
    pub on_preview: bool,
}

/// `NDIlib_FourCC_video_type_BGRX`.
pub const BGRX: u32 = u32::from_le_bytes(*b"BGRX");
/// `NDIlib_frame_format_type_progressive`.
pub const PROGRESSIVE: c_int = 1;
/// `NDIlib_send_timecode_synthesize`.
pub const SYNTHESIZE: i64 = i64::MAX;

/// `NDIlib_recv_color_format_RGBX_RGBA`.
pub const RGBX_RGBA: c_int = 2;
/// `NDIlib_recv_bandwidth_highest`.
pub const HIGHEST: c_int = 100;
/// `NDIlib_frame_type_video`.
pub const VIDEO: c_int = 1;

/// The functions, for as long as the library that they are in.
pub struct Functions {
    pub version: unsafe extern "C" fn() -> *const c_char,
    pub initialize: unsafe extern "C" fn() -> bool,
    pub send_create: unsafe extern "C" fn(*const SendCreate) -> Instance,
    pub send_destroy: unsafe extern "C" fn(Instance),
    pub send_video_async: unsafe extern "C" fn(Instance, *const VideoFrame),
    pub connections: unsafe extern "C" fn(Instance, u32) -> c_int,
    pub tally: unsafe extern "C" fn(Instance, *mut Tally, u32) -> bool,
    pub find_create: unsafe extern "C" fn(*const FindCreate) -> Instance,
    pub find_destroy: unsafe extern "C" fn(Instance),
    pub find_wait: unsafe extern "C" fn(Instance, u32) -> bool,
    pub find_current: unsafe extern "C" fn(Instance, *mut u32) -> *const Source,
    pub recv_create: unsafe extern "C" fn(*const RecvCreate) -> Instance,
    pub recv_destroy: unsafe extern "C" fn(Instance),
    pub recv_capture:
        unsafe extern "C" fn(Instance, *mut VideoFrame, *mut c_void, *mut c_void, u32) -> c_int,
    pub recv_free_video: unsafe extern "C" fn(Instance, *const VideoFrame),
    pub recv_connections: unsafe extern "C" fn(Instance) -> c_int,
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
                find_create: *get(&library, b"NDIlib_find_create_v2\0")?,
                find_destroy: *get(&library, b"NDIlib_find_destroy\0")?,
                find_wait: *get(&library, b"NDIlib_find_wait_for_sources\0")?,
                find_current: *get(&library, b"NDIlib_find_get_current_sources\0")?,
                recv_create: *get(&library, b"NDIlib_recv_create_v3\0")?,
                recv_destroy: *get(&library, b"NDIlib_recv_destroy\0")?,
                recv_capture: *get(&library, b"NDIlib_recv_capture_v2\0")?,
                recv_free_video: *get(&library, b"NDIlib_recv_free_video_v2\0")?,
                recv_connections: *get(&library, b"NDIlib_recv_get_no_connections\0")?,
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
