//! A test picture: moving bars, a counter, a clock, and the clock once more in black and white, so that a program can read
//! how old a picture is; and a mark, where one is asked for, by which it knows whose.

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

/// How many bits of a mark are shown, the highest first.
const MARK_BITS: u32 = u16::BITS;

/// The picture number `number`, at `now`. The bars move by a pixel a picture.
pub fn draw(size: Size, number: u64, mark: Option<u16>, now: Timestamp) -> Frame {
    let (width, height) = (size.width as usize, size.height as usize);
    let shift = (number as usize) % width;
    let row: Vec<u8> = (0..width)
        .flat_map(|x| BARS[(x + shift) % width * BARS.len() / width])
        .collect();
    let mut pixels = row.repeat(height);
    let dark = height * 11 / 16;
    pixels[dark * width * 3..].fill(24);
    let millis = now.as_micros() / 1000;
    squares(&mut pixels, size, dark, BITS, millis);
    if let Some(mark) = mark {
        // Below it its complement: where the two do not agree, nobody takes rubble for a mark.
        squares(&mut pixels, size, 0, MARK_BITS, mark.into());
        let below = width / MARK_BITS as usize;
        squares(&mut pixels, size, below, MARK_BITS, (!mark).into());
    }
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

/// The lowest `bits` of `value` as squares in a row, white for one; they are as wide as the picture together.
fn squares(pixels: &mut [u8], size: Size, top: usize, bits: u32, value: u64) {
    let width = size.width as usize;
    let side = width / bits as usize;
    for y in top..(top + side).min(size.height as usize) {
        for bit in 0..bits as usize {
            let on = value >> (bits as usize - 1 - bit) & 1 == 1;
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
        let frame = draw(size, 7, None, now);
        let y = 360 * 11 / 16 + 5;
        let read = (0..BITS as usize).fold(0_u64, |read, bit| {
            let at = (y * 640 + bit * 20 + 10) * 3;
            read << 1 | u64::from(frame.pixels()[at] > 128)
        });
        assert_eq!(read, (now.as_micros() / 1000) & 0xffff_ffff);
        assert!(!draw(size, 8, None, now).same_picture(&frame));
        let words = &frame.pixels()[(640 * 300) * 3..];
        assert!(
            words.iter().filter(|value| **value > 200).count() > 500,
            "the clock in words"
        );
    }
    #[test]
    fn a_mark_can_be_read_off_with_its_complement_below() {
        let size = Size::new(320, 240);
        let frame = draw(size, 1, Some(0xa5f0), Timestamp::now());
        let read = |y: usize| {
            (0..MARK_BITS as usize).fold(0_u16, |read, bit| {
                let at = (y * 320 + bit * 20 + 10) * 3;
                read << 1 | u16::from(frame.pixels()[at] > 128)
            })
        };
        assert_eq!((read(10), read(30)), (0xa5f0, !0xa5f0));
        assert!(!draw(size, 1, None, Timestamp::now()).same_picture(&frame));
    }
}
