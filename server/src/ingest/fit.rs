//! A decoded picture to the size that a pipeline paints: turned, mirrored, cropped or letterboxed, never stretched.

use fast_image_resize::ResizeOptions;
use image::{RgbImage, imageops};
use limn_pipeline::{Frame, Size};

use crate::ingest::decode::Decoded;
use crate::ingest::{Fit, IngestConfig, Rotate};
use crate::scale::scale;

/// Makes `decoded` a frame of `size`. It keeps its JPEG only if nothing had to be done.
pub fn fit(decoded: Decoded, size: Size, config: &IngestConfig) -> Frame {
    let Decoded {
        mut picture,
        mut jpeg,
    } = decoded;
    if config.rotate != Rotate::None || config.mirror {
        picture = turn(picture, config);
        jpeg = None;
    }
    if (picture.width(), picture.height()) == (size.width, size.height) {
        let mut frame = frame(picture.into_raw(), size);
        frame.jpeg = jpeg;
        return frame;
    }
    match config.fit {
        Fit::Crop => frame(
            resize(
                &picture,
                size,
                ResizeOptions::new().fit_into_destination(None),
            ),
            size,
        ),
        Fit::Letterbox => barred(&picture, size),
    }
}

/// `frame` scaled into `size` between black bars; itself, if it has that size.
pub fn letterbox(frame: &Frame, size: Size) -> Frame {
    if frame.size() == size {
        return frame.clone();
    }
    barred(&Decoded::of(frame).picture, size).stamped_like(frame)
}

fn barred(picture: &RgbImage, size: Size) -> Frame {
    let wide = u64::from(picture.width()) * u64::from(size.height);
    let tall = u64::from(picture.height()) * u64::from(size.width);
    let inner = if wide >= tall {
        let height = (tall / u64::from(picture.width())).clamp(1, size.height.into());
        Size::new(size.width, height as u32)
    } else {
        let width = (wide / u64::from(picture.height())).clamp(1, size.width.into());
        Size::new(width as u32, size.height)
    };
    let pixels = resize(picture, inner, ResizeOptions::new());
    bars(&pixels, inner, size)
}

fn frame(pixels: Vec<u8>, size: Size) -> Frame {
    Frame::rgb8(size, pixels).expect("made with three bytes a pixel")
}

fn turn(picture: RgbImage, config: &IngestConfig) -> RgbImage {
    let mut picture = match config.rotate {
        Rotate::None => picture,
        Rotate::Quarter => imageops::rotate90(&picture),
        Rotate::Half => imageops::rotate180(&picture),
        Rotate::ThreeQuarters => imageops::rotate270(&picture),
    };
    if config.mirror {
        imageops::flip_horizontal_in_place(&mut picture);
    }
    picture
}

fn resize(picture: &RgbImage, size: Size, options: ResizeOptions) -> Vec<u8> {
    let from = Size::new(picture.width(), picture.height());
    scale(picture.as_raw(), from, size, options)
}

fn bars(pixels: &[u8], inner: Size, size: Size) -> Frame {
    let (left, top) = (
        (size.width - inner.width) / 2,
        (size.height - inner.height) / 2,
    );
    let mut out = vec![0; size.area() * 3];
    for (y, row) in pixels.chunks_exact(inner.width as usize * 3).enumerate() {
        let start = ((top as usize + y) * size.width as usize + left as usize) * 3;
        out[start..start + row.len()].copy_from_slice(row);
    }
    frame(out, size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    const RED: [u8; 3] = [255, 0, 0];
    const BLUE: [u8; 3] = [0, 0, 255];

    /// Left half red, right half blue.
    fn halves(width: u32, height: u32) -> Decoded {
        let picture = RgbImage::from_fn(width, height, |x, _| {
            image::Rgb(if x < width / 2 { RED } else { BLUE })
        });
        Decoded {
            picture,
            jpeg: Some(bytes::Bytes::from_static(b"jpeg")),
        }
    }

    fn pixel(frame: &Frame, x: u32, y: u32) -> [u8; 3] {
        let at = ((y * frame.size().width + x) * 3) as usize;
        frame.pixels()[at..at + 3].try_into().unwrap()
    }

    #[test]
    fn a_picture_that_fits_keeps_its_jpeg() {
        let frame = fit(
            halves(64, 64),
            Size::new(64, 64),
            &Config::defaults().ingest,
        );
        assert!(frame.jpeg.is_some());
        let mirrored = IngestConfig {
            mirror: true,
            ..Config::defaults().ingest
        };
        let frame = fit(halves(64, 64), Size::new(64, 64), &mirrored);
        assert!(frame.jpeg.is_none());
        assert_eq!((pixel(&frame, 0, 0), pixel(&frame, 63, 0)), (BLUE, RED));
    }

    #[test]
    fn cropping_keeps_the_middle_and_letterboxing_adds_black() {
        let crop = fit(
            halves(128, 64),
            Size::new(64, 64),
            &Config::defaults().ingest,
        );
        assert_eq!((pixel(&crop, 2, 0), pixel(&crop, 61, 63)), (RED, BLUE));
        let config = IngestConfig {
            fit: Fit::Letterbox,
            ..Config::defaults().ingest
        };
        let boxed = fit(halves(128, 64), Size::new(64, 64), &config);
        assert_eq!(pixel(&boxed, 32, 2), [0, 0, 0]);
        assert_eq!((pixel(&boxed, 2, 32), pixel(&boxed, 61, 32)), (RED, BLUE));
    }

    #[test]
    fn turning_is_clockwise() {
        let config = IngestConfig {
            rotate: Rotate::Quarter,
            ..Config::defaults().ingest
        };
        let frame = fit(halves(64, 64), Size::new(64, 64), &config);
        assert_eq!((pixel(&frame, 32, 0), pixel(&frame, 32, 63)), (RED, BLUE));
    }

    #[test]
    fn extreme_proportions_are_no_fault() {
        for fit_mode in [Fit::Crop, Fit::Letterbox] {
            let config = IngestConfig {
                fit: fit_mode,
                ..Config::defaults().ingest
            };
            for (width, height) in [(1, 1), (1, 4000), (4000, 1), (3, 2)] {
                assert_eq!(
                    fit(halves(width, height), Size::new(64, 72), &config).size(),
                    Size::new(64, 72)
                );
            }
        }
    }
}
