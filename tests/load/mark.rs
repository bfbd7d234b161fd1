//! What a picture of `pattern:` says of itself, read off its pixels as `server/src/ingest/source/pattern.rs` drew them.

use anyhow::{Context, ensure};
use image::{GrayImage, ImageFormat};

const MARK_BITS: u32 = 16;
const CLOCK_BITS: u32 = 32;

/// Whose picture it is, and when it was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub session: u16,
    /// Milliseconds; the lowest 32 bits.
    pub clock: u32,
}

/// Reads a JPEG, in whatever size it was scaled to.
pub fn read(jpeg: &[u8]) -> anyhow::Result<Mark> {
    let picture = image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg)
        .context("a picture cannot be decoded")?
        .into_luma8();
    let side = picture.width() as f32 / MARK_BITS as f32;
    let mark = row(&picture, MARK_BITS, side / 2.0) as u16;
    let complement = row(&picture, MARK_BITS, side * 1.5) as u16;
    ensure!(
        mark == !complement,
        "a picture of {}x{} has no mark: {mark:016b} above {complement:016b}",
        picture.width(),
        picture.height()
    );
    let top = picture.height() as f32 * 11.0 / 16.0;
    let clock = row(&picture, CLOCK_BITS, top + side / 4.0);
    Ok(Mark {
        session: mark,
        clock,
    })
}

/// The squares of one row, by their middles.
fn row(picture: &GrayImage, bits: u32, y: f32) -> u32 {
    let side = picture.width() as f32 / bits as f32;
    (0..bits).fold(0, |read, bit| {
        let x = (bit as f32 + 0.5) * side;
        let light = picture.get_pixel(x as u32, y as u32).0[0];
        read << 1 | u32::from(light > 128)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ExtendedColorType, RgbImage, codecs::jpeg::JpegEncoder, imageops};

    #[test]
    fn it_survives_jpeg_and_scaling_and_rubble_has_none() {
        let (mark, clock) = (0x2b01_u16, 0x8000_1234_u32);
        let drawn = RgbImage::from_fn(320, 240, |x, y| {
            let on = match y {
                0..20 => mark >> (15 - x / 20) & 1 == 1,
                20..40 => !mark >> (15 - x / 20) & 1 == 1,
                165..175 => clock >> (31 - x / 10) & 1 == 1,
                _ => x % 7 < 3,
            };
            image::Rgb([if on { 235 } else { 16 }; 3])
        });
        for width in [192, 256, 320, 384] {
            let height = width * 3 / 4;
            let scaled = imageops::resize(&drawn, width, height, imageops::FilterType::Triangle);
            let mut jpeg = Vec::new();
            JpegEncoder::new_with_quality(&mut jpeg, 85)
                .encode(&scaled, width, height, ExtendedColorType::Rgb8)
                .expect("a jpeg");
            let seen = read(&jpeg).expect("a mark");
            assert_eq!((seen.session, seen.clock), (mark, clock), "{width}");
        }
        let mut jpeg = Vec::new();
        JpegEncoder::new(&mut jpeg)
            .encode(&[77; 64 * 64 * 3], 64, 64, ExtendedColorType::Rgb8)
            .expect("a jpeg");
        assert!(read(&jpeg).is_err());
    }
}
