//! What is shown in place of a picture that may not be: its colours, roughly where they were, and nothing else.

use tch::{TchError, Tensor};

/// What is left of a picture in each direction: a face that fills it is three or four such cells wide, which no sharpening
/// brings back.
const CELLS: i64 = 8;

/// Pictures `[B, 3, H, W]` of any range and kind, as means of 8 by 8 cells with smooth passages between them.
///
/// # Errors
/// When torch refuses, for want of memory.
pub(super) fn veil(pictures: &Tensor) -> Result<Tensor, TchError> {
    let (_, _, height, width) = pictures.size4()?;
    pictures
        .f_adaptive_avg_pool2d([CELLS, CELLS])?
        .f_upsample_bilinear2d([height, width], false, None, None)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tch::{Device, Kind};

    use super::*;

    #[test]
    fn what_is_finer_than_a_cell_is_gone_and_the_colour_stays() {
        // Stripes of two pixels, white and black, over a red channel that is full.
        let stripes = Tensor::arange(128, (Kind::Float, Device::Cpu))
            .remainder(4.0)
            .lt(2.0)
            .to_kind(Kind::Float)
            .expand([1, 3, 96, 128], false)
            .copy();
        let _ = stripes.narrow(1, 0, 1).fill_(1.0);
        let veiled = veil(&stripes).unwrap();
        assert_eq!(veiled.size(), [1, 3, 96, 128]);
        for (channel, mean) in [(0, 1.0), (1, 0.5), (2, 0.5)] {
            let off = (veiled.narrow(1, channel, 1) - mean).abs();
            assert!(off.max().double_value(&[]) < 1e-6, "channel {channel}");
        }
    }
}
