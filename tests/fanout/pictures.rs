//! What the camera sees: 1280x720 with as much noise as makes JPEGs of the wanted length, the same in each run.

use anyhow::ensure;
use image::{Rgb, RgbImage};
use mozjpeg::{ColorSpace, Compress};

pub const WIDTH: u32 = 1280;
pub const HEIGHT: u32 = 720;

/// How many differ before they come again.
const COUNT: u32 = 60;

/// As cameras compress.
const QUALITY: f32 = 80.0;

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

/// A gentle slope that moves from picture to picture, under noise.
fn jpeg(number: u32, noise: f64) -> anyhow::Result<Vec<u8>> {
    let mut state = number.wrapping_mul(2_654_435_761).wrapping_add(1);
    let picture = RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        // The generator of Numerical Recipes: the noise need not be good, but the same everywhere.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let grain = (f64::from(state >> 16) / 65536.0 - 0.5) * noise;
        let grey = 64.0 + f64::from(x + y + 8 * number) / 32.0 + grain;
        Rgb([grey as u8, grey as u8, grey as u8 / 2])
    });
    let mut compress = Compress::new(ColorSpace::JCS_RGB);
    compress.set_fastest_defaults();
    compress.set_size(WIDTH as usize, HEIGHT as usize);
    compress.set_quality(QUALITY);
    // 4:2:0, as most cameras.
    compress.set_chroma_sampling_pixel_sizes((2, 2), (2, 2));
    let mut started = compress.start_compress(Vec::new())?;
    started.write_scanlines(picture.as_raw())?;
    Ok(started.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_have_the_length_that_is_wanted_and_differ() {
        for bytes in [25_000, 107_000] {
            let all = pictures(bytes).expect("pictures");
            assert_eq!(all.len(), COUNT as usize);
            assert!(all.windows(2).all(|pair| pair[0] != pair[1]));
        }
    }
}
