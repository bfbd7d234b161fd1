//! Pictures from a source on the network.

use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use crate::finder::Found;
use crate::sys::{self, Functions};
use crate::{Ndi, NdiError, owned};

/// A picture that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// RGB, three bytes a pixel, no gaps.
    pub pixels: Vec<u8>,
}

/// Connected to one source, or waiting for it.
pub struct Receiver {
    functions: Arc<Functions>,
    instance: sys::Instance,
}

// SAFETY: the library's receivers may be used from any thread; one at a time, which `&mut self` sees to.
unsafe impl Send for Receiver {}

impl Receiver {
    /// Begins to receive `source`.
    ///
    /// # Errors
    /// If the library makes no receiver.
    pub fn new(ndi: &Ndi, source: &Found) -> Result<Self, NdiError> {
        let (name, address) = (owned(&source.name)?, owned(&source.address)?);
        let create = sys::RecvCreate {
            source: sys::Source {
                name: name.as_ptr(),
                address: address.as_ptr(),
            },
            color_format: sys::RGBX_RGBA,
            bandwidth: sys::HIGHEST,
            allow_fields: false,
            name: c"Limn".as_ptr(),
        };
        // SAFETY: the strings live until the call is over, which copies them.
        let instance = unsafe { (ndi.0.recv_create)(&raw const create) };
        if instance.is_null() {
            return Err(NdiError::Denied("receive a source"));
        }
        Ok(Self {
            functions: Arc::clone(&ndi.0),
            instance,
        })
    }

    /// The next picture, waited for at most for `patience`. Sound and metadata are passed over.
    pub fn picture(&mut self, patience: Duration) -> Option<Picture> {
        let mut video = sys::VideoFrame::empty();
        // SAFETY: the instance lives, `video` is there to be written, and null means that the rest is not wanted.
        let kind = unsafe {
            (self.functions.recv_capture)(
                self.instance,
                &raw mut video,
                ptr::null_mut(),
                ptr::null_mut(),
                patience.as_millis() as u32,
            )
        };
        if kind != sys::VIDEO {
            return None;
        }
        let picture = picture(&video);
        // SAFETY: it was captured from this instance a moment ago, and is not looked at again.
        unsafe { (self.functions.recv_free_video)(self.instance, &raw const video) };
        picture
    }

    /// Whether the source is connected now.
    pub fn is_connected(&self) -> bool {
        // SAFETY: the instance lives.
        unsafe { (self.functions.recv_connections)(self.instance) > 0 }
    }
}

/// The pixels, without the byte that says nothing.
fn picture(video: &sys::VideoFrame) -> Option<Picture> {
    let (width, height, stride) = (video.width, video.height, video.line_stride);
    if video.data.is_null() || width <= 0 || height <= 0 || stride < width * 4 {
        return None;
    }
    let (width, height, stride) = (width as usize, height as usize, stride as usize);
    // SAFETY: the library gives `height` lines of `line_stride` bytes, which stay until the picture is given back.
    let lines = unsafe { std::slice::from_raw_parts(video.data, stride * height) };
    let mut pixels = vec![0; width * height * 3];
    for (from, to) in lines
        .chunks_exact(stride)
        .zip(pixels.chunks_exact_mut(width * 3))
    {
        let (from, _) = from[..width * 4].as_chunks::<4>();
        let (to, _) = to.as_chunks_mut::<3>();
        for (from, to) in from.iter().zip(to) {
            *to = [from[0], from[1], from[2]];
        }
    }
    Some(Picture {
        width: width as u32,
        height: height as u32,
        pixels,
    })
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // SAFETY: nobody uses the instance again.
        unsafe { (self.functions.recv_destroy)(self.instance) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fourth_byte_and_the_gap_behind_a_line_are_left_out() {
        let mut lines: Vec<u8> = (0..2 * 12).collect();
        let mut video = sys::VideoFrame {
            width: 2,
            height: 2,
            line_stride: 12,
            data: lines.as_mut_ptr(),
            ..sys::VideoFrame::empty()
        };
        let made = picture(&video).expect("a picture");
        assert_eq!((made.width, made.height), (2, 2));
        assert_eq!(made.pixels, [0, 1, 2, 4, 5, 6, 12, 13, 14, 16, 17, 18]);
        video.line_stride = 4;
        assert_eq!(picture(&video), None);
    }
}
