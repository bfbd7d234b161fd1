//! Compressed bytes from a stranger to pixels, within limits that are checked before any memory is taken.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, ImageResult, Limits, RgbImage};
use limn_pipeline::{Frame, Size};

use crate::ingest::{IngestConfig, jpeg, webp};

/// The most that one pixel takes while it is decoded: four channels of 16 bits.
const BYTES_PER_PIXEL: u64 = 8;

/// Why bytes were not taken as a picture. The session goes on with its next one.
#[derive(Clone, Debug, thiserror::Error)]
pub enum IngestError {
    /// More bytes than the limit.
    #[error("a picture of {got} bytes is over the limit of {limit} bytes")]
    TooManyBytes {
        /// Its length.
        got: usize,
        /// `--max-frame-bytes`.
        limit: usize,
    },
    /// More pixels than the limit.
    #[error("a picture of {width}x{height} is over the limit of {limit} pixels")]
    TooManyPixels {
        /// Its width, as its header says.
        width: u32,
        /// Its height, as its header says.
        height: u32,
        /// `--max-pixels`.
        limit: u64,
    },
    /// Neither JPEG, PNG nor WebP.
    #[error("the bytes are not a jpeg, png or webp picture")]
    UnknownFormat,
    /// It starts as a picture and goes wrong.
    #[error("the picture cannot be decoded: {0}")]
    Broken(String),
}

/// A decoded picture and, where the pixels are just what the bytes say, those bytes.
pub struct Decoded {
    /// RGB, upright.
    pub picture: RgbImage,
    /// The JPEG that decodes to exactly `picture`, and holds nothing else.
    pub jpeg: Option<Bytes>,
}

impl Decoded {
    /// The pixels of a frame.
    pub fn of(frame: &Frame) -> Self {
        let Size { width, height } = frame.size();
        let picture = RgbImage::from_raw(width, height, frame.pixels().to_vec());
        Self {
            picture: picture.expect("a frame has three bytes a pixel"),
            jpeg: None,
        }
    }
}

/// What the beginning of a picture says: all that is checked before memory is taken.
pub struct Head<'a> {
    /// As its header says; its Exif may turn it yet.
    pub size: Size,
    bytes: &'a Bytes,
    format: ImageFormat,
    orientation: Orientation,
    decoder: Box<dyn ImageDecoder + 'a>,
}

/// Reads the head of a JPEG, PNG or WebP.
pub fn head<'a>(bytes: &'a Bytes, config: &IngestConfig) -> Result<Head<'a>, IngestError> {
    if bytes.len() > config.max_frame_bytes {
        return Err(IngestError::TooManyBytes {
            got: bytes.len(),
            limit: config.max_frame_bytes,
        });
    }
    let mut reader = ImageReader::new(Cursor::new(&bytes[..]))
        .with_guessed_format()
        .map_err(|_| IngestError::UnknownFormat)?;
    // For what a PNG has beside its pixels, which may be packed a thousandfold.
    let mut limits = Limits::default();
    limits.max_alloc = Some(config.max_pixels.saturating_mul(BYTES_PER_PIXEL));
    reader.limits(limits);
    let format = match reader.format() {
        Some(format @ (ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP)) => format,
        _ => return Err(IngestError::UnknownFormat),
    };
    match format {
        ImageFormat::Jpeg => check_end(bytes)?,
        ImageFormat::WebP => webp::check(bytes, config.max_pixels)?,
        _ => {}
    }
    let mut decoder = fenced(|| reader.into_decoder()).map_err(IngestError::Broken)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > config.max_pixels {
        return Err(IngestError::TooManyPixels {
            width,
            height,
            limit: config.max_pixels,
        });
    }
    Ok(Head {
        size: Size::new(width, height),
        bytes,
        format,
        orientation: decoder.orientation().unwrap_or(Orientation::NoTransforms),
        decoder: Box::new(decoder),
    })
}

impl Head<'_> {
    /// The JPEG as it may leave, if its pixels are just what its bytes say.
    pub fn as_it_came(&self) -> Option<Bytes> {
        let upright =
            self.format == ImageFormat::Jpeg && self.orientation == Orientation::NoTransforms;
        upright.then(|| jpeg::kept(self.bytes)).flatten()
    }

    /// Decodes it and turns it upright as its Exif says.
    pub fn decode(self) -> Result<Decoded, IngestError> {
        let untouched = self.as_it_came();
        let picture = fenced(|| DynamicImage::from_decoder(self.decoder));
        let mut picture = picture.map_err(IngestError::Broken)?;
        picture.apply_orientation(self.orientation);
        Ok(Decoded {
            picture: picture.into_rgb8(),
            jpeg: untouched,
        })
    }
}

/// The pixels of a JPEG whose head was read before.
pub fn pixels(jpeg: &Bytes) -> Result<Vec<u8>, String> {
    let decode = || image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg);
    Ok(fenced(decode)?.into_rgb8().into_raw())
}

/// A decoder that panics at a picture that somebody has made for that refuses it like any other.
fn fenced<T>(decode: impl FnOnce() -> ImageResult<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(decoded) => decoded.map_err(|error| error.to_string()),
        Err(_) => Err("its decoder gives up".to_owned()),
    }
}

/// Decoders fill what is missing with grey; a picture that was cut short on its way is refused instead.
fn check_end(bytes: &[u8]) -> Result<(), IngestError> {
    // Some cameras pad their pictures with zeros.
    let end = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    if bytes[..end].ends_with(&[0xff, 0xd9]) {
        return Ok(());
    }
    Err(IngestError::Broken(format!(
        "the jpeg of {} bytes ends before its end-of-image marker",
        bytes.len()
    )))
}

#[cfg(test)]
mod tests {
    use image::ImageEncoder;
    use image::codecs::png::PngEncoder;

    use super::*;
    use crate::Config;

    fn decode(bytes: &Bytes, config: &IngestConfig) -> Result<Decoded, IngestError> {
        head(bytes, config)?.decode()
    }

    fn jpeg(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let picture = RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([x as u8, y as u8, (x * y) as u8])
        });
        picture
            .write_to(&mut Cursor::new(&mut bytes), ImageFormat::Jpeg)
            .unwrap();
        bytes
    }

    fn refusal(bytes: Vec<u8>) -> String {
        decode(&bytes.into(), &Config::defaults().ingest)
            .err()
            .expect("is refused")
            .to_string()
    }

    #[test]
    fn a_jpeg_keeps_its_bytes_and_a_png_does_not() {
        let config = Config::defaults().ingest;
        let bytes = Bytes::from(jpeg(20, 10));
        let decoded = decode(&bytes, &config).unwrap();
        assert_eq!(decoded.picture.dimensions(), (20, 10));
        assert_eq!(decoded.jpeg, Some(bytes));
        let mut png = Vec::new();
        decoded
            .picture
            .write_to(&mut Cursor::new(&mut png), ImageFormat::Png)
            .unwrap();
        assert!(decode(&png.into(), &config).unwrap().jpeg.is_none());
    }

    #[test]
    fn a_picture_at_which_its_decoder_panics_is_refused() {
        let seed = include_bytes!("../../../tests/fuzz/seeds/pictures/panic");
        let why = refusal(seed[3..].to_vec());
        assert_eq!(why, "the picture cannot be decoded: its decoder gives up");
    }

    #[test]
    fn a_jpeg_that_is_to_be_turned_is_turned_and_not_kept() {
        let upright = jpeg(20, 10);
        // One entry of TIFF, whose orientation is to be shown a quarter further, clockwise.
        let exif = b"\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        let turned = Bytes::from([&upright[..2], exif, &upright[2..]].concat());
        let config = Config::defaults().ingest;
        let decoded = decode(&turned, &config).unwrap();
        let upright = decode(&upright.into(), &config).unwrap().picture;
        assert_eq!(decoded.picture, image::imageops::rotate90(&upright));
        assert_eq!(decoded.jpeg, None);
        assert_eq!(head(&turned, &config).unwrap().as_it_came(), None);
    }

    #[test]
    fn a_truncated_jpeg_is_refused_wherever_it_is_cut() {
        let whole = jpeg(64, 64);
        for cut in 3..whole.len() {
            let message = refusal(whole[..cut].to_vec());
            assert!(
                message.starts_with("the picture cannot be decoded"),
                "{cut}: {message}"
            );
        }
    }

    #[test]
    fn a_jpeg_that_claims_60000_pixels_a_side_is_refused_by_its_header() {
        let mut bytes = jpeg(64, 64);
        let header = bytes
            .windows(2)
            .position(|pair| pair == [0xff, 0xc0])
            .expect("a baseline frame header");
        bytes[header + 5..header + 9].copy_from_slice(&[0xea, 0x60, 0xea, 0x60]);
        assert_eq!(
            refusal(bytes),
            "a picture of 60000x60000 is over the limit of 16777216 pixels"
        );
    }

    #[test]
    fn a_profile_in_a_png_is_unpacked_to_no_more_than_its_pixels_may_take() {
        let mut config = Config::defaults().ingest;
        config.max_pixels = 1 << 16;
        let unpacked = |length: usize| {
            let mut bytes = Vec::new();
            let mut encoder = PngEncoder::new(&mut bytes);
            encoder.set_icc_profile(vec![0; length]).unwrap();
            RgbImage::new(4, 4).write_with_encoder(encoder).unwrap();
            let bytes = Bytes::from(bytes);
            let mut head = head(&bytes, &config).unwrap();
            let profile = head.decoder.icc_profile().unwrap();
            profile.map(|profile| profile.len())
        };
        assert_eq!(unpacked(1_000), Some(1_000));
        assert_eq!(unpacked(8 << 20), None);
    }

    #[test]
    fn other_bytes_say_what_was_expected() {
        assert_eq!(
            refusal(b"hello".to_vec()),
            "the bytes are not a jpeg, png or webp picture"
        );
        assert_eq!(
            refusal(Vec::new()),
            "the bytes are not a jpeg, png or webp picture"
        );
        assert!(refusal(vec![0; 17 << 20]).contains("over the limit of 16777216 bytes"));
    }
}
