//! RGB pixels in another size.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use limn_pipeline::Size;

/// `pixels` of `from` (three bytes each) in the size `to`, with what `options` say of the part to take.
pub fn scale(pixels: &[u8], from: Size, to: Size, options: ResizeOptions) -> Vec<u8> {
    // Bilinear with support grows its kernel when it shrinks a picture, so it does not alias.
    let options = options.resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    let source = ImageRef::new(from.width, from.height, pixels, PixelType::U8x3)
        .expect("three bytes a pixel");
    let mut target = Image::new(to.width, to.height, PixelType::U8x3);
    Resizer::new()
        .resize(&source, &mut target, &options)
        .expect("both sides are U8x3 and not empty");
    target.into_vec()
}
