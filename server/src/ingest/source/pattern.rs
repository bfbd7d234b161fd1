//! A test picture: moving bars, a counter, a clock, and the clock once more in black and white, so that a program can read
//! how old a picture is.

use limn_pipeline::{Frame, Size, Timestamp};

use crate::lettering::{Line, write};

/// Colour bars at three quarters (SMPTE EG 1), red first.
const BARS: [[u8; 3]; 7] = [
    [191, 191, 191],
    [191, 191, 0],
    [0, 191, 191],
    [0, 191, 0],
    [191, 0, 191],
    [191, 0, 0],
    [0, 0, 191],
];

/// How many bits of the clock are shown, the highest first.
const BITS: u32 = 32;

/// The picture number `number`, at `now`. The bars move by a pixel a picture.
pub fn draw(size: Size, number: u64, now: Timestamp) -> Frame {
    let (width, height) = (size.width as usize, size.height as usize);
    let shift = (number as usize) % width;
    let row: Vec<u8> = (0..width)
        .flat_map(|x| BARS[(x + shift) % width * BARS.len() / width])
        .collect();
    let mut pixels = row.repeat(height);
    let dark = height * 11 / 16;
    pixels[dark * width * 3..].fill(24);
    let millis = now.as_micros() / 1000;
    mark(&mut pixels, size, dark, millis);
    let of_day = millis % 86_400_000;
    let text = format!(
        "{number:06}  {:02}:{:02}:{:02}.{:03} UTC",
        of_day / 3_600_000,
        of_day / 60_000 % 60,
        of_day / 1000 % 60,
        of_day % 1000
    );
    let line = Line {
        x: size.width as f32 / 2.0,
        y: size.height as f32 * 0.9,
        height: size.height as f32 / 9.0,
        width: size.width as f32 * 0.9,
        ink: [240; 3],
    };
    write(&text, line, &mut pixels, size);
    let mut frame = Frame::rgb8(size, pixels).expect("made with three bytes a pixel");
    (frame.sequence, frame.captured) = (number, now);
    frame
}

/// The lowest [`BITS`] of `millis` as squares in a row, white for one.
fn mark(pixels: &mut [u8], size: Size, top: usize, millis: u64) {
    let width = size.width as usize;
    let side = width / BITS as usize;
    for y in top..(top + side).min(size.height as usize) {
        for bit in 0..BITS as usize {
            let on = millis >> (BITS as usize - 1 - bit) & 1 == 1;
            let start = (y * width + bit * side) * 3;
            pixels[start..start + side * 3].fill(if on { 235 } else { 16 });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_can_be_read_off_and_the_bars_move() {
        let size = Size::new(640, 360);
        let now = Timestamp::now();
        let frame = draw(size, 7, now);
        let y = 360 * 11 / 16 + 5;
        let read = (0..BITS as usize).fold(0_u64, |read, bit| {
            let at = (y * 640 + bit * 20 + 10) * 3;
            read << 1 | u64::from(frame.pixels()[at] > 128)
        });
        assert_eq!(read, (now.as_micros() / 1000) & 0xffff_ffff);
        assert!(!draw(size, 8, now).same_picture(&frame));
        let words = &frame.pixels()[(640 * 300) * 3..];
        assert!(
            words.iter().filter(|value| **value > 200).count() > 500,
            "the clock in words"
        );
    }
}
