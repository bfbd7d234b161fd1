//! One picture to many viewers: each pulls from its own [`Feed`](crate::cell::Feed), so the slowest stalls nobody.

pub mod audience;
pub mod bgrx;
pub mod budget;
pub mod config;
pub mod mjpeg;
pub mod ndi;
pub mod pace;
pub mod placard;
pub mod rate;

pub mod viewer;
pub mod wire;

#[cfg(test)]
mod tests {
    use crate::picture::{Picture, Shown};
    use limn_pipeline::{Frame, JpegFrame, Size, Timestamp};

    /// A picture whose JPEG is `bytes`.
    pub fn picture(serial: u64, bytes: impl Into<String>) -> Picture {
        let frame = Frame::filled(Size::new(1, 1), [0; 3]);
        let jpeg = JpegFrame {
            size: frame.size(),
            bytes: bytes.into().into(),
            sequence: serial,
            captured: Timestamp::now(),
        };
        let shown = Shown {
            serial,
            ..Shown::new(frame, None)
        };
        Picture::new(&shown, jpeg, None)
    }
}
