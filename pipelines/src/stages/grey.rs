//! A picture's brightness, to the bit as the two reference programs round it.

use limn_pipeline::{Frame, Size};

/// Brightness only: one byte a pixel, rows without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grey {
    /// Width and height.
    pub size: Size,
    /// `width * height` bytes, 0 is black.
    pub pixels: Vec<u8>,
}

impl Grey {
    /// As OpenCV's `cvtColor(RGB2GRAY)`: ITU-R BT.601 in fixed point with 15 bits.
    pub fn opencv(frame: &Frame) -> Self {
        Self::weighted::<15>(frame, [9798, 19235, 3735])
    }

    /// As Pillow's `convert("L")`: ITU-R BT.601 in fixed point with 16 bits.
    pub fn pillow(frame: &Frame) -> Self {
        Self::weighted::<16>(frame, [19595, 38470, 7471])
    }

    fn weighted<const BITS: u32>(frame: &Frame, [red, green, blue]: [u32; 3]) -> Self {
        let (pixels, _) = frame.pixels().as_chunks::<3>();
        let pixels = pixels
            .iter()
            .map(|&[r, g, b]| {
                let sum = red * u32::from(r) + green * u32::from(g) + blue * u32::from(b);
                ((sum + (1 << (BITS - 1))) >> BITS) as u8
            })
            .collect();
        Self {
            size: frame.size(),
            pixels,
        }
    }

    /// The same picture in three equal colours.
    pub fn into_frame(self) -> Frame {
        let rgb: Vec<u8> = self.pixels.iter().flat_map(|&grey| [grey; 3]).collect();
        Frame::rgb8(self.size, rgb).expect("three bytes for each pixel")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn grey_stays_grey_and_white_stays_white() {
        for value in 0..=255 {
            let frame = Frame::filled(Size::new(2, 1), [value; 3]);
            assert_eq!(Grey::opencv(&frame).pixels, [value; 2]);
            assert_eq!(Grey::pillow(&frame).pixels, [value; 2]);
        }
    }
}
