//! RGB to UYVY, what NDI takes most easily: two pixels in four bytes, video levels.

use limn_pipeline::Size;

/// Shares of red and blue in the luma: BT.601 up to standard definition, BT.709 above it.
fn shares(size: Size) -> (f32, f32) {
    if size.height <= 576 {
        (0.299, 0.114)
    } else {
        (0.2126, 0.0722)
    }
}

/// Fixed point with so many bits behind the point.
const BITS: i32 = 16;

struct Matrix {
    y: [i32; 3],
    u: [i32; 3],
    v: [i32; 3],
}

impl Matrix {
    fn of(size: Size) -> Self {
        let (red, blue) = shares(size);
        let green = 1.0 - red - blue;
        let fixed = |row: [f32; 3], scale: f32| {
            row.map(|value| (value * scale / 255.0 * (1 << BITS) as f32).round() as i32)
        };
        let (u, v) = (2.0 * (1.0 - blue), 2.0 * (1.0 - red));
        Self {
            y: fixed([red, green, blue], 219.0),
            u: fixed([-red / u, -green / u, 0.5], 224.0),
            v: fixed([0.5, -green / v, -blue / v], 224.0),
        }
    }
}

fn dot(row: [i32; 3], pixel: [i32; 3]) -> i32 {
    row[0] * pixel[0] + row[1] * pixel[1] + row[2] * pixel[2]
}

/// Writes `pixels` (RGB, `size` of them, the width even) into `out`, which has two bytes for each.
pub fn write(pixels: &[u8], size: Size, out: &mut [u8]) {
    let matrix = Matrix::of(size);
    let half = 1 << (BITS - 1);
    let (pairs, _) = pixels.as_chunks::<6>();
    let (quads, _) = out.as_chunks_mut::<4>();
    for (pair, quad) in pairs.iter().zip(quads) {
        let pair = pair.map(i32::from);
        let (one, other) = ([pair[0], pair[1], pair[2]], [pair[3], pair[4], pair[5]]);
        let both = [one[0] + other[0], one[1] + other[1], one[2] + other[2]];
        let luma = |pixel| (((dot(matrix.y, pixel) + half) >> BITS) + 16) as u8;
        let chroma = |row| (((dot(row, both) + 2 * half) >> (BITS + 1)) + 128).clamp(16, 240) as u8;
        *quad = [chroma(matrix.u), luma(one), chroma(matrix.v), luma(other)];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quad(rgb: [u8; 3], height: u32) -> [u8; 4] {
        let mut out = [0; 4];
        write(&rgb.repeat(2), Size::new(2, height), &mut out);
        out
    }

    /// The values of ITU-R BT.601-7 and BT.709-6 for pure colours at full level.
    #[test]
    fn pure_colours_have_the_values_of_the_standards() {
        let near = |got: [u8; 4], u: i32, y: i32, v: i32| {
            let wanted = [u, y, v, y];
            let off = got
                .iter()
                .zip(wanted)
                .map(|(got, wanted)| (i32::from(*got) - wanted).abs());
            assert!(off.max() <= Some(1), "{got:?}, not {wanted:?}");
        };
        for height in [480, 720] {
            near(quad([255; 3], height), 128, 235, 128);
            near(quad([0; 3], height), 128, 16, 128);
        }
        near(quad([255, 0, 0], 480), 90, 81, 240);
        near(quad([0, 255, 0], 480), 54, 145, 34);
        near(quad([0, 0, 255], 480), 240, 41, 110);
        near(quad([255, 0, 0], 720), 102, 63, 240);
        near(quad([0, 255, 0], 720), 42, 173, 26);
        near(quad([0, 0, 255], 720), 240, 32, 118);
    }
}
