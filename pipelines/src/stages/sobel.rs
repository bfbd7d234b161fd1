//! The edge operator of the nearest peer (Real-Time Latent Consistency Model, `canny_gpu.py`), which calls it canny.
//!
//! The length of the Sobel gradient, divided by the largest in the picture; at or above `high` it becomes white, then
//! at or below `low` black, and in between it stays. Its defaults are the wrong way round (0.31 below, 0.125 above), so
//! in effect 0.125 is the only threshold. They are kept: people know how it looks.

use crate::stages::grey::Grey;

/// Strength of the edges, 0 to 255. Beyond its border the picture is black, as the peer's padding has it; a picture
/// without any gradient gives black.
pub fn sobel(grey: &Grey, low: f32, high: f32) -> Grey {
    let (width, height) = (grey.size.width as usize, grey.size.height as usize);
    let at = |x: usize, y: usize| -> i32 {
        // `x` and `y` count from 1, so that 0 and `width + 1` are the border.
        match (x.checked_sub(1), y.checked_sub(1)) {
            (Some(x), Some(y)) if x < width && y < height => i32::from(grey.pixels[y * width + x]),
            _ => 0,
        }
    };
    let mut squares = Vec::with_capacity(width * height);
    for y in 1..=height {
        for x in 1..=width {
            let corners = (
                at(x + 1, y + 1) - at(x - 1, y - 1),
                at(x + 1, y - 1) - at(x - 1, y + 1),
            );
            let across = corners.0 + corners.1 + 2 * (at(x + 1, y) - at(x - 1, y));
            let down = corners.0 - corners.1 + 2 * (at(x, y + 1) - at(x, y - 1));
            squares.push(across * across + down * down);
        }
    }
    let largest = (squares.iter().copied().max().unwrap_or_default() as f32).sqrt();
    let pixels = squares
        .into_iter()
        .map(|square| {
            // All black when nothing changes anywhere: the peer divides zero by zero here.
            let mut edge = if largest > 0.0 {
                (square as f32).sqrt() / largest
            } else {
                0.0
            };
            if edge >= high && largest > 0.0 {
                edge = 1.0;
            }
            if edge <= low {
                edge = 0.0;
            }
            (edge * 255.0) as u8
        })
        .collect();
    Grey {
        size: grey.size,
        pixels,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use limn_pipeline::Size;

    use super::*;

    #[test]
    fn a_black_picture_gives_black_whatever_the_thresholds() {
        let black = Grey {
            size: Size::new(4, 3),
            pixels: vec![0; 12],
        };
        for (low, high) in [(0.31, 0.125), (0.0, 0.0), (1.0, 1.0), (0.0, 1.0)] {
            assert_eq!(sobel(&black, low, high), black);
        }
    }

    #[test]
    fn with_the_peers_defaults_the_upper_one_is_the_only_threshold() {
        let ramp = Grey {
            size: Size::new(16, 16),
            pixels: (0..=255).map(|i| (i % 16) * (i / 16)).collect(),
        };
        let map = sobel(&ramp, 0.31, 0.125);
        assert!(map.pixels.iter().all(|&pixel| pixel == 0 || pixel == 255));
        assert!(map.pixels.contains(&0) && map.pixels.contains(&255));
        let soft = sobel(&ramp, 0.1, 0.9);
        assert!(soft.pixels.iter().any(|&pixel| pixel > 0 && pixel < 255));
    }
}
