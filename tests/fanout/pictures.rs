//! What the camera sees: 1280x720 with as much noise as makes JPEGs of the wanted length, the same in each run.

use std::io::Cursor;

use anyhow::ensure;
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};

pub const WIDTH: u32 = 1280;
pub const HEIGHT: u32 = 720;

/// How many differ before they come again.
const COUNT: u32 = 60;

/// As cameras compress.
const QUALITY: u8 = 80;

/// JPEGs of about `bytes` each.
pub fn pictures(bytes: usize) -> anyhow::Result<Vec<Vec<u8>>> {
    let (mut little, mut much) = (0.0, 128.0);
    for _ in 0..10 {
        let noise = (little + much) / 2.0;
        if jpeg(0, noise)?.len() < bytes {
            little = noise;
        } else {
            much = noise;
        }
    }
    let all: Vec<_> = (0..COUNT)
        .map(|number| jpeg(number, much))
        .collect::<anyhow::Result<_>>()?;
    let mean = all.iter().map(Vec::len).sum::<usize>() / all.len();
    ensure!(
        mean.abs_diff(bytes) < bytes / 10,
        "no noise makes jpegs of {bytes} bytes; the nearest have {mean}"
    );
    Ok(all)
}

/// A slope that moves from picture to picture, under noise.
fn jpeg(number: u32, noise: f64) -> anyhow::Result<Vec<u8>> {
    let mut state = number.wrapping_mul(2_654_435_761).wrapping_add(1);
    let picture = RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        // The generator of Numerical Recipes: the noise need not be good, but the same everywhere.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let grain = (f64::from(state >> 16) / 65536.0 - 0.5) * noise;
        let slope = f64::from((x + y + 16 * number) % 512) / 2.0;
        let grey = (slope * 0.5 + 64.0 + grain) as u8;
        Rgb([grey, grey, 255 - grey])
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, QUALITY))?;
    Ok(bytes.into_inner())
}
