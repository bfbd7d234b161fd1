//! A picture on its way along the road, with its sequence number and capture time.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::pixels::{Decode, Pixels};

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Size {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
}

impl Size {
    /// A size of `width` by `height` pixels.
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    /// Number of pixels.
    pub const fn area(self) -> usize {
        self.width as usize * self.height as usize
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl std::str::FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split_once(['x', 'X'])
            .and_then(|(width, height)| Some(Self::new(width.parse().ok()?, height.parse().ok()?)))
            .filter(|size| size.width > 0 && size.height > 0)
            .ok_or_else(|| format!("`{text}` is not a size like `512x512`"))
    }
}

/// How the bytes of a frame are to be read. One is built; the enum leaves room for Rgba8, I420 and Uyvy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum PixelFormat {
    /// Three bytes a pixel, red first, rows without padding, sRGB.
    Rgb8,
}

/// Microseconds since the Unix epoch that never run backwards within a process: the clock is read once at the
/// first use and then counted monotonically, so a latency is one subtraction even while NTP corrects the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Timestamp(u64);

impl Timestamp {
    /// This moment.
    pub fn now() -> Self {
        static START: OnceLock<(Instant, u64)> = OnceLock::new();
        let (start, micros) = START.get_or_init(|| {
            let unix = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            (Instant::now(), unix.as_micros() as u64)
        });
        Self(micros + start.elapsed().as_micros() as u64)
    }

    /// Microseconds since the Unix epoch.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Milliseconds from `earlier` to `self`; zero if `earlier` is later.
    pub fn millis_since(self, earlier: Self) -> f64 {
        self.0.saturating_sub(earlier.0) as f64 / 1000.0
    }
}

impl std::fmt::Display for Timestamp {
    /// Seconds since the Unix epoch, as multipart streams write `X-Timestamp`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// Why bytes are not a frame.
#[derive(Clone, Debug, thiserror::Error)]
#[error("a frame of {size} in Rgb8 has {expected} bytes, got {got}")]
pub struct FrameError {
    size: Size,
    expected: usize,
    got: usize,
}

/// An uncompressed picture. Cloning it clones a reference count.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Frame {
    size: Size,
    format: PixelFormat,
    pixels: Pixels,
    /// The JPEG that decodes to exactly these pixels, if they came as one: an unchanged picture leaves as it came.
    pub jpeg: Option<Bytes>,
    /// Counts the frames of one session upwards from 1; 0 means not yet numbered.
    pub sequence: u64,
    /// When the picture reached Limn.
    pub captured: Timestamp,
}

impl Frame {
    /// A picture of `size` from `width * height * 3` bytes, red first.
    pub fn rgb8(size: Size, pixels: impl Into<Bytes>) -> Result<Self, FrameError> {
        let pixels = pixels.into();
        let expected = size.area() * 3;
        if pixels.len() != expected {
            return Err(FrameError {
                size,
                expected,
                got: pixels.len(),
            });
        }
        Ok(Self {
            size,
            format: PixelFormat::Rgb8,
            pixels: Pixels::Here(pixels),
            jpeg: None,
            sequence: 0,
            captured: Timestamp::now(),
        })
    }

    /// The picture of `size` in `jpeg`, which `decode` reads when somebody looks at the pixels, and not before.
    pub fn in_jpeg(size: Size, jpeg: Bytes, decode: Decode) -> Self {
        Self {
            size,
            format: PixelFormat::Rgb8,
            pixels: Pixels::in_jpeg(jpeg.clone(), size.area() * 3, decode),
            jpeg: Some(jpeg),
            sequence: 0,
            captured: Timestamp::now(),
        }
    }

    /// A picture of one colour.
    pub fn filled(size: Size, rgb: [u8; 3]) -> Self {
        Self {
            size,
            format: PixelFormat::Rgb8,
            pixels: Pixels::Here(rgb.repeat(size.area()).into()),
            jpeg: None,
            sequence: 0,
            captured: Timestamp::now(),
        }
    }

    /// Carries over what a stage must not lose: sequence number and capture time of the frame it worked from.
    pub fn stamped_like(mut self, other: &Frame) -> Self {
        self.sequence = other.sequence;
        self.captured = other.captured;
        self
    }

    /// Width and height.
    pub fn size(&self) -> Size {
        self.size
    }

    /// How to read [`Frame::pixels`].
    pub fn format(&self) -> PixelFormat {
        self.format
    }

    /// The bytes, as [`Frame::format`] says; mid grey where they lie in a JPEG that turns out broken.
    pub fn pixels(&self) -> &Bytes {
        self.pixels.bytes()
    }

    /// What is wrong with the JPEG that the pixels lie in; `None` too for a pipeline that
    /// [reads](crate::Pipeline::READS_PIXELS) them, which is given no such frame.
    pub fn fault(&self) -> Option<&str> {
        self.pixels.fault()
    }

    /// Whether both show the same picture, whenever it was taken.
    pub fn same_picture(&self, other: &Frame) -> bool {
        self.size == other.size && self.format == other.format && self.pixels.same(&other.pixels)
    }
}

/// A picture compressed once, for every viewer. Cloning it clones a reference count.
#[derive(Clone, Debug)]
pub struct JpegFrame {
    /// Width and height of the picture inside.
    pub size: Size,
    /// The JPEG file.
    pub bytes: Bytes,
    /// The sequence number of the frame it shows.
    pub sequence: u64,
    /// When that frame reached Limn.
    pub captured: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_of_the_wrong_length_says_the_numbers() {
        let error = Frame::rgb8(Size::new(2, 2), vec![0; 11]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a frame of 2x2 in Rgb8 has 12 bytes, got 11"
        );
    }

    #[test]
    fn pixels_in_a_jpeg_are_read_once_and_only_when_wanted() {
        let count: Decode = |jpeg| match &jpeg[..] {
            b"good" => Ok(vec![7; 12]),
            b"short" => Ok(vec![7; 9]),
            other => Err(String::from_utf8_lossy(other).into_owned()),
        };
        let in_jpeg = |name: &'static str| Frame::in_jpeg(Size::new(2, 2), name.into(), count);
        let good = in_jpeg("good");
        assert_eq!(good.clone().pixels().as_ptr(), good.pixels().as_ptr());
        assert!(good.same_picture(&Frame::rgb8(good.size(), vec![7; 12]).unwrap()));
        // Broken ones differ from others and not from themselves.
        assert!(
            in_jpeg("bad").same_picture(&in_jpeg("bad")) && !in_jpeg("bad").same_picture(&good)
        );
        for (name, said) in [("bad", "bad"), ("short", "12 bytes of pixels, and 9 came")] {
            let frame = in_jpeg(name);
            assert!(frame.fault().unwrap().contains(said), "{:?}", frame.fault());
            assert_eq!(frame.pixels()[..], [128; 12]);
        }
    }

    #[test]
    fn sizes_are_read_as_people_write_them() {
        assert_eq!("1280x720".parse(), Ok(Size::new(1280, 720)));
        assert!("1280".parse::<Size>().is_err());
        assert!("0x8".parse::<Size>().is_err());
    }

    #[test]
    fn time_never_runs_backwards() {
        let first = Timestamp::now();
        assert!(Timestamp::now() >= first);
        assert_eq!(first.millis_since(Timestamp::now()), 0.0);
    }
}
