//! Pictures to send, and a look at those that come back.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};

/// Red first.
pub type Colour = [u8; 3];

/// What [`plain`] calls red.
pub const RED: Colour = [230, 20, 20];
/// What [`plain`] calls blue.
pub const BLUE: Colour = [20, 20, 230];
/// What [`plain`] calls green.
pub const GREEN: Colour = [20, 200, 20];

fn bytes(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    picture
        .write_to(&mut Cursor::new(&mut bytes), format)
        .expect("memory takes it");
    bytes
}

/// A square of one colour, as a file of `format`.
pub fn square(side: u32, colour: Colour, format: ImageFormat) -> Vec<u8> {
    bytes(&RgbImage::from_pixel(side, side, Rgb(colour)), format)
}

/// 64x64 of one colour as JPEG.
pub fn plain(colour: Colour) -> Vec<u8> {
    square(64, colour, ImageFormat::Jpeg)
}

/// A square of noise, so that its JPEG is large; `number` sets its seed.
pub fn noise(side: u32, number: u32) -> Vec<u8> {
    let mut state = number.wrapping_mul(2_654_435_761).wrapping_add(1);
    let picture = RgbImage::from_fn(side, side, |_, _| {
        Rgb(std::array::from_fn(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        }))
    });
    bytes(&picture, ImageFormat::Jpeg)
}

/// The mean colour of a picture file.
///
/// # Panics
/// If it is none.
pub fn colour(file: &[u8]) -> Colour {
    let picture = image::load_from_memory(file)
        .expect("a picture")
        .into_rgb8();
    let count = u64::from(picture.width()) * u64::from(picture.height());
    std::array::from_fn(|channel| {
        let sum: u64 = picture
            .pixels()
            .map(|pixel| u64::from(pixel[channel]))
            .sum();
        (sum / count) as u8
    })
}

/// Whether a picture file shows `wanted`, as far as JPEG keeps a colour.
pub fn shows(file: &[u8], wanted: Colour) -> bool {
    colour(file)
        .iter()
        .zip(wanted)
        .all(|(got, wanted)| got.abs_diff(wanted) <= 12)
}
