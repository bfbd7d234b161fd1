//! A Gaussian blur of a grey picture. OpenCV's Canny has none inside; this one is a wish of the user's.

use crate::stages::grey::Grey;

/// Blurs with a Gaussian of `sigma` pixels, cut off at three sigma, its edges repeated outwards. Zero changes nothing.
pub fn gaussian(grey: Grey, sigma: f32) -> Grey {
    if sigma <= 0.0 || grey.pixels.is_empty() {
        return grey;
    }
    let kernel = kernel(sigma);
    let (width, height) = (grey.size.width as usize, grey.size.height as usize);
    let radius = kernel.len() / 2;
    let mut across = vec![0.0f32; width * height];
    let mut padded = vec![0.0f32; width + 2 * radius];
    for (row, out) in grey
        .pixels
        .chunks_exact(width)
        .zip(across.chunks_exact_mut(width))
    {
        padded[..radius].fill(f32::from(row[0]));
        padded[radius + width..].fill(f32::from(row[width - 1]));
        for (to, from) in padded[radius..].iter_mut().zip(row) {
            *to = f32::from(*from);
        }
        for (tap, weight) in kernel.iter().enumerate() {
            for (sum, value) in out.iter_mut().zip(&padded[tap..]) {
                *sum += weight * value;
            }
        }
    }
    let mut sums = vec![0.0f32; width];
    let mut pixels = Vec::with_capacity(width * height);
    for y in 0..height {
        sums.fill(0.0);
        for (tap, weight) in kernel.iter().enumerate() {
            let from = (y + tap).saturating_sub(radius).min(height - 1);
            for (sum, value) in sums.iter_mut().zip(&across[from * width..]) {
                *sum += weight * value;
            }
        }
        pixels.extend(sums.iter().map(|sum| (sum + 0.5) as u8));
    }
    Grey {
        size: grey.size,
        pixels,
    }
}

/// Weights that sum to one, an odd number of them.
fn kernel(sigma: f32) -> Vec<f32> {
    let radius = (3.0 * sigma).ceil() as i32;
    let weights: Vec<f32> = (-radius..=radius)
        .map(|x| (-((x * x) as f32) / (2.0 * sigma * sigma)).exp())
        .collect();
    let sum: f32 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use limn_pipeline::Size;

    use super::*;

    #[test]
    fn a_flat_picture_stays_flat_and_a_dot_spreads_evenly() {
        let flat = Grey {
            size: Size::new(5, 3),
            pixels: vec![200; 15],
        };
        assert_eq!(gaussian(flat.clone(), 2.0), flat);
        let mut dot = Grey {
            size: Size::new(7, 7),
            pixels: vec![0; 49],
        };
        dot.pixels[24] = 255;
        let spread = gaussian(dot.clone(), 1.0).pixels;
        assert_eq!(
            spread[24], 41,
            "255 * (0.3990 squared), from the normal distribution"
        );
        assert_eq!(spread[23], spread[25]);
        assert_eq!(spread[17], spread[31]);
        assert_eq!(gaussian(dot.clone(), 0.0), dot);
    }

    #[test]
    fn pictures_smaller_than_the_kernel_are_fine() {
        for (width, height) in [(1, 1), (1, 9), (9, 1), (0, 4)] {
            let size = Size::new(width, height);
            let grey = Grey {
                size,
                pixels: vec![9; size.area()],
            };
            assert_eq!(gaussian(grey.clone(), 5.0), grey);
        }
    }
}
