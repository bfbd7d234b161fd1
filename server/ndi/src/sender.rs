//! A source on the network.

use std::ffi::c_int;
use std::ptr;
use std::sync::Arc;

use crate::sys::{self, Functions};
use crate::{Ndi, NdiError, Tally, maybe, owned, pointer};

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
    /// How many bytes a picture has in BGRX.
    pub fn bytes(&self) -> usize {
        self.width as usize * self.height as usize * 4
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
        let (called, groups) = (owned(name)?, maybe(groups)?);
        let create = sys::SendCreate {
            name: called.as_ptr(),
            groups: pointer(groups.as_ref()),
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

    /// Sends one picture in BGRX, without waiting until it is out; `fill` writes [`Video::bytes`] of it.
    pub fn send(&mut self, video: Video, fill: impl FnOnce(&mut [u8])) {
        let buffer = &mut self.buffers[self.next];
        buffer.resize(video.bytes(), 0);
        fill(buffer);
        let frame = sys::VideoFrame {
            width: video.width as c_int,
            height: video.height as c_int,
            four_cc: sys::BGRX,
            rate_numerator: video.rate.0 as c_int,
            rate_denominator: video.rate.1 as c_int,
            aspect_ratio: 0.0,
            format: sys::PROGRESSIVE,
            timecode: sys::SYNTHESIZE,
            data: buffer.as_mut_ptr(),
            line_stride: video.width as c_int * 4,
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
