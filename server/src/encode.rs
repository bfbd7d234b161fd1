//! A frame as JPEG, once for all viewers who want it so.

use bytes::Bytes;
use clap::Args;
use fast_image_resize::ResizeOptions;
use limn_pipeline::{Frame, JpegFrame, Size};

use crate::picture::{EncodeError, Rendition};
use crate::scale::scale;

/// How pictures are compressed.
#[derive(Args, Clone, Debug)]
pub struct EncodeConfig {
    /// JPEG quality, 1 to 100
    #[arg(long, env = "LIMN_JPEG_QUALITY", value_name = "N", default_value_t = 85, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub jpeg_quality: u8,
}

/// The JPEG that `frame` came as, if nothing changed it and it is wanted as it is: there is nothing to compress.
pub fn as_it_came(frame: &Frame, rendition: Rendition) -> Option<JpegFrame> {
    let as_it_is = rendition.quality.is_none() && narrower(frame, rendition).is_none();
    let bytes = frame.jpeg.clone().filter(|_| as_it_is)?;
    Some(carried(frame, frame.size(), bytes))
}

/// `frame` as a baseline JPEG with 4:2:0 chroma, in `rendition` (`quality` where it names none); the very bytes it came
/// as, if nothing changed it.
pub fn encode(frame: &Frame, rendition: Rendition, quality: u8) -> Result<JpegFrame, EncodeError> {
    if let Some(jpeg) = as_it_came(frame, rendition) {
        return Ok(jpeg);
    }
    if let Some(fault) = frame.fault() {
        return Err(EncodeError {
            size: frame.size(),
            reason: fault.to_owned(),
        });
    }
    let quality = rendition.quality.unwrap_or(quality);
    let size = narrower(frame, rendition).unwrap_or(frame.size());
    let compressed = if size == frame.size() {
        compress(size, frame.pixels(), quality)
    } else {
        compress(
            size,
            &scale(frame.pixels(), frame.size(), size, ResizeOptions::new()),
            quality,
        )
    };
    let bytes = compressed.map_err(|error| EncodeError {
        size,
        reason: error.to_string(),
    })?;
    Ok(carried(frame, size, bytes))
}

/// The size in `rendition`, if that is smaller: a picture is never scaled up.
fn narrower(frame: &Frame, rendition: Rendition) -> Option<Size> {
    let (size, width) = (frame.size(), rendition.width?);
    let height = (u64::from(size.height) * u64::from(width)).div_ceil(u64::from(size.width));
    (width < size.width).then(|| Size::new(width, height as u32))
}

/// What a stage must not lose stays with the bytes: size, sequence, time.
fn carried(frame: &Frame, size: Size, bytes: Bytes) -> JpegFrame {
    JpegFrame {
        size,
        bytes,
        sequence: frame.sequence,
        captured: frame.captured,
    }
}

fn compress(size: Size, pixels: &[u8], quality: u8) -> std::io::Result<Bytes> {
    let mut compress = mozjpeg::Compress::new(mozjpeg::ColorSpace::JCS_RGB);
    // mozjpeg's own defaults (trellis, progressive scans) take some 50 ms for 512x512: right for a file, not for a stream.
    compress.set_fastest_defaults();
    compress.set_size(size.width as usize, size.height as usize);
    compress.set_quality(f32::from(quality));
    compress.set_chroma_sampling_pixel_sizes((2, 2), (2, 2));
    let mut started = compress.start_compress(Vec::with_capacity(size.area() / 4))?;
    started.write_scanlines(pixels)?;
    Ok(started.finish()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Rendition = Rendition {
        width: None,
        quality: None,
    };

    #[test]
    fn what_nothing_changed_leaves_as_the_same_bytes() {
        let mut frame = Frame::filled(Size::new(8, 8), [1, 2, 3]);
        frame.jpeg = Some(Bytes::from_static(b"as it came"));
        assert_eq!(encode(&frame, PLAIN, 85).unwrap().bytes, &b"as it came"[..]);
    }

    #[test]
    fn a_picture_survives() {
        let size = Size::new(64, 48);
        let pixels: Vec<u8> = (0..size.area())
            .flat_map(|i| [(i % 64 * 4) as u8, (i / 64 * 5) as u8, 128])
            .collect();
        let frame = Frame::rgb8(size, pixels.clone()).unwrap();
        let jpeg = encode(&frame, PLAIN, 95).unwrap();
        let back = image::load_from_memory(&jpeg.bytes).unwrap().into_rgb8();
        assert_eq!(back.dimensions(), (64, 48));
        let worst = back
            .as_raw()
            .iter()
            .zip(&pixels)
            .map(|(a, b)| a.abs_diff(*b))
            .max()
            .unwrap();
        assert!(worst < 24, "off by {worst}");
    }

    #[test]
    fn a_rendition_has_its_width_and_quality_and_is_never_scaled_up() {
        let mut frame = Frame::filled(Size::new(640, 360), [10, 200, 30]);
        frame.jpeg = Some(Bytes::from_static(b"as it came"));
        let narrow = Rendition {
            width: Some(320),
            quality: None,
        };
        let jpeg = encode(&frame, narrow, 85).unwrap();
        assert_eq!(jpeg.size, Size::new(320, 180));
        let back = image::load_from_memory(&jpeg.bytes).unwrap();
        assert_eq!((back.width(), back.height()), (320, 180));
        let wide = Rendition {
            width: Some(1280),
            quality: None,
        };
        assert_eq!(encode(&frame, wide, 85).unwrap().bytes, &b"as it came"[..]);
        let coarse = Rendition {
            width: None,
            quality: Some(20),
        };
        let jpeg = encode(&frame, coarse, 85).unwrap();
        assert_eq!(image::load_from_memory(&jpeg.bytes).unwrap().width(), 640);
    }
}
