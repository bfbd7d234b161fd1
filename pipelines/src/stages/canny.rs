//! Canny's edge detector (Canny 1986), equal to OpenCV's `cv2.Canny(grey, low, high, apertureSize=3)` in every pixel.
//!
//! Sobel gradients with the border repeated, thinning across the gradient in four directions, and hysteresis over eight
//! neighbours. There is no Gaussian inside, as there is none in OpenCV's.

use crate::stages::edges::Gradient;
use crate::stages::grey::Grey;

/// tan(22.5°) in fixed point with 15 bits: below it a gradient counts as horizontal.
const TAN_22: i32 = 13573;
const TAN_BITS: u32 = 15;
/// Beyond this OpenCV clamps a threshold before it squares it.
const LARGEST_L2: f64 = 32767.0;

// What the map says of a pixel.
const MAYBE: u8 = 0;
const NO: u8 = 1;
const EDGE: u8 = 2;

/// Edges as 255 on 0. A gradient above `high` begins an edge, one above `low` continues it; thresholds the wrong way
/// round are swapped.
pub fn canny(grey: &Grey, low: f64, high: f64, gradient: Gradient) -> Grey {
    let (width, height) = (grey.size.width as usize, grey.size.height as usize);
    if width == 0 || height == 0 {
        return grey.clone();
    }
    let threshold = |value: f64| match gradient {
        Gradient::L1 => value.floor() as i32,
        Gradient::L2 => value.min(LARGEST_L2).powi(2).floor() as i32,
    };
    let (low, high) = (threshold(low.min(high)), threshold(low.max(high)));

    // A border of one pixel that is no edge, so that the walk below needs no bounds.
    let stride = width + 2;
    let mut map = vec![NO; stride * (height + 2)];
    let mut strong = Vec::with_capacity(width * height / 10);

    let mut lines = Lines::new(grey, gradient);
    // Three lines of lengths turn round: above, here, below. Outside the picture a gradient has no length.
    let mut above = Line::outside(width);
    let mut here = Line::outside(width);
    let mut below = Line::outside(width);
    lines.read(0, &mut here);
    for y in 0..height {
        if y + 1 < height {
            lines.read(y + 1, &mut below);
        } else {
            below.length.fill(0);
        }
        let start = (y + 1) * stride + 1;
        let row = &mut map[start..start + width];
        for (x, place) in row.iter_mut().enumerate() {
            let length = here.length[x + 1];
            if length > low && here.is_ridge(x, length, &above, &below) {
                *place = MAYBE;
                if length > high {
                    *place = EDGE;
                    strong.push(start + x);
                }
            }
        }
        std::mem::swap(&mut above, &mut here);
        std::mem::swap(&mut here, &mut below);
    }

    while let Some(place) = strong.pop() {
        let neighbours = [
            place - stride - 1,
            place - stride,
            place - stride + 1,
            place - 1,
            place + 1,
            place + stride - 1,
            place + stride,
            place + stride + 1,
        ];
        for neighbour in neighbours {
            if map[neighbour] == MAYBE {
                map[neighbour] = EDGE;
                strong.push(neighbour);
            }
        }
    }

    let pixels = map
        .chunks_exact(stride)
        .skip(1)
        .take(height)
        .flat_map(|row| {
            row[1..=width]
                .iter()
                .map(|&place| if place == EDGE { 255 } else { 0 })
        })
        .collect();
    Grey {
        size: grey.size,
        pixels,
    }
}

/// The gradients of one row of pixels.
struct Line {
    /// Rightwards and downwards, `width` each.
    right: Vec<i16>,
    down: Vec<i16>,
    /// Length, with a zero before and after the row: `width + 2`.
    length: Vec<i32>,
}

impl Line {
    fn outside(width: usize) -> Self {
        Self {
            right: vec![0; width],
            down: vec![0; width],
            length: vec![0; width + 2],
        }
    }

    /// Whether the gradient at `x` is longer than its neighbours along its own direction. Where two are equal, the
    /// left or upper one counts, in the diagonals neither.
    fn is_ridge(&self, x: usize, length: i32, above: &Self, below: &Self) -> bool {
        let (right, down) = (i32::from(self.right[x]), i32::from(self.down[x]));
        let steep = down.abs() << TAN_BITS;
        let flat = right.abs() * TAN_22;
        // In `length` everything stands one to the right.
        if steep < flat {
            return length > self.length[x] && length >= self.length[x + 2];
        }
        // tan(67.5°) = tan(22.5°) + 2.
        if steep > flat + (right.abs() << (TAN_BITS + 1)) {
            return length > above.length[x + 1] && length >= below.length[x + 1];
        }
        if (right ^ down) < 0 {
            length > above.length[x + 2] && length > below.length[x]
        } else {
            length > above.length[x] && length > below.length[x + 2]
        }
    }
}

/// Reads rows of a picture as rows of gradients.
struct Lines<'a> {
    grey: &'a Grey,
    gradient: Gradient,
    /// Sums and differences of three rows of pixels, with the border repeated: `width + 2`.
    sum: Vec<i16>,
    difference: Vec<i16>,
}

impl<'a> Lines<'a> {
    fn new(grey: &'a Grey, gradient: Gradient) -> Self {
        let stride = grey.size.width as usize + 2;
        Self {
            grey,
            gradient,
            sum: vec![0; stride],
            difference: vec![0; stride],
        }
    }

    fn row(&self, y: usize) -> &'a [u8] {
        let width = self.grey.size.width as usize;
        &self.grey.pixels[y * width..][..width]
    }

    fn read(&mut self, y: usize, line: &mut Line) {
        let width = self.grey.size.width as usize;
        let last = self.grey.size.height as usize - 1;
        let rows = self
            .row(y.saturating_sub(1))
            .iter()
            .zip(self.row(y))
            .zip(self.row((y + 1).min(last)));
        let out = self.sum[1..].iter_mut().zip(&mut self.difference[1..]);
        for (((&up, &here), &down), (sum, difference)) in rows.zip(out) {
            *sum = i16::from(up) + 2 * i16::from(here) + i16::from(down);
            *difference = i16::from(down) - i16::from(up);
        }
        for padded in [&mut self.sum, &mut self.difference] {
            padded[0] = padded[1];
            padded[width + 1] = padded[width];
        }
        for (right, sums) in line.right.iter_mut().zip(self.sum.windows(3)) {
            *right = sums[2] - sums[0];
        }
        for (down, differences) in line.down.iter_mut().zip(self.difference.windows(3)) {
            *down = differences[0] + 2 * differences[1] + differences[2];
        }
        let gradients = line.right.iter().zip(&line.down);
        let lengths = line.length[1..=width].iter_mut();
        for (length, (&right, &down)) in lengths.zip(gradients) {
            let (right, down) = (i32::from(right), i32::from(down));
            *length = match self.gradient {
                Gradient::L1 => right.abs() + down.abs(),
                Gradient::L2 => right * right + down * down,
            };
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use limn_pipeline::Size;

    use super::*;

    fn noise(size: Size) -> Grey {
        let mut state = 0x2545_F491u32;
        let pixels = (0..size.area())
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                state as u8
            })
            .collect();
        Grey { size, pixels }
    }

    #[test]
    fn a_step_gives_one_line() {
        let size = Size::new(8, 4);
        let pixels = (0..32).map(|i| if i % 8 < 4 { 0 } else { 255 }).collect();
        let map = canny(&Grey { size, pixels }, 100.0, 200.0, Gradient::L1);
        for row in map.pixels.chunks(8) {
            assert_eq!(row, [0, 0, 0, 255, 0, 0, 0, 0]);
        }
    }

    #[test]
    fn any_size_keeps_its_size_and_gives_black_or_white() {
        for width in [0, 1, 2, 3, 4, 5, 31, 64] {
            for height in [0, 1, 2, 3, 4, 7, 33] {
                let grey = noise(Size::new(width, height));
                for gradient in [Gradient::L1, Gradient::L2] {
                    for (low, high) in [(100.0, 200.0), (0.0, 0.0), (1000.0, 0.0), (0.0, 1e9)] {
                        let map = canny(&grey, low, high, gradient);
                        assert_eq!((map.size, map.pixels.len()), (grey.size, grey.pixels.len()));
                        assert!(map.pixels.iter().all(|&pixel| pixel == 0 || pixel == 255));
                    }
                }
            }
        }
    }

    #[test]
    fn swapped_thresholds_mean_the_same_and_flat_pictures_have_no_edges() {
        let grey = noise(Size::new(40, 30));
        assert_eq!(
            canny(&grey, 300.0, 500.0, Gradient::L2),
            canny(&grey, 500.0, 300.0, Gradient::L2)
        );
        let black = Grey {
            size: Size::new(9, 9),
            pixels: vec![0; 81],
        };
        assert_eq!(canny(&black, 0.0, 0.0, Gradient::L1), black);
    }
}
