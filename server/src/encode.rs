//! A frame as JPEG, once, for every viewer.

use bytes::Bytes;
use clap::Args;
use limn_pipeline::{Frame, JpegFrame};

/// How pictures are compressed.
#[derive(Args, Clone, Debug)]
pub struct EncodeConfig {
    /// JPEG quality, 1 to 100
    #[arg(long, env = "LIMN_JPEG_QUALITY", value_name = "N", default_value_t = 85, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub jpeg_quality: u8,
}

/// Why a frame could not be compressed.
#[derive(Debug, thiserror::Error)]
#[error("cannot encode a frame of {size} as jpeg: {reason}")]
pub struct EncodeError {
    size: limn_pipeline::Size,
    reason: String,
}

/// The JPEG that `frame` came as, if nothing changed it: there is nothing to compress.
pub fn as_it_came(frame: &Frame) -> Option<JpegFrame> {
    frame.jpeg.clone().map(|bytes| carried(frame, bytes))
}

/// `frame` as a baseline JPEG with 4:2:0 chroma; the very bytes it came as, if nothing changed it.
pub fn encode(frame: &Frame, quality: u8) -> Result<JpegFrame, EncodeError> {
    if let Some(jpeg) = as_it_came(frame) {
        return Ok(jpeg);
    }
    let bytes = compress(frame, quality).map_err(|error| EncodeError {
        size: frame.size(),
        reason: error.to_string(),
    })?;
    Ok(carried(frame, bytes))
}

/// What a stage must not lose stays with the bytes: size, sequence, time.
fn carried(frame: &Frame, bytes: Bytes) -> JpegFrame {
    JpegFrame {
        size: frame.size(),
        bytes,
        sequence: frame.sequence,
        captured: frame.captured,
    }
}

fn compress(frame: &Frame, quality: u8) -> std::io::Result<Bytes> {
    let mut compress = mozjpeg::Compress::new(mozjpeg::ColorSpace::JCS_RGB);
    // mozjpeg's own defaults (trellis, progressive scans) take some 50 ms for 512x512: right for a file, not for a stream.
    compress.set_fastest_defaults();
    compress.set_size(frame.size().width as usize, frame.size().height as usize);
    compress.set_quality(f32::from(quality));
    compress.set_chroma_sampling_pixel_sizes((2, 2), (2, 2));
    let mut started = compress.start_compress(Vec::with_capacity(frame.size().area() / 4))?;
    started.write_scanlines(frame.pixels())?;
    Ok(started.finish()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use limn_pipeline::Size;

    #[test]
    fn what_nothing_changed_leaves_as_the_same_bytes() {
        let mut frame = Frame::filled(Size::new(8, 8), [1, 2, 3]);
        frame.jpeg = Some(Bytes::from_static(b"as it came"));
        assert_eq!(encode(&frame, 85).unwrap().bytes, &b"as it came"[..]);
    }

    #[test]
    fn a_picture_survives() {
        let size = Size::new(64, 48);
        let pixels: Vec<u8> = (0..size.area())
            .flat_map(|i| [(i % 64 * 4) as u8, (i / 64 * 5) as u8, 128])
            .collect();
        let frame = Frame::rgb8(size, pixels.clone()).unwrap();
        let jpeg = encode(&frame, 95).unwrap();
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
}
