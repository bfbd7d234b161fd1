//! What is written on a picture that the safety checker flagged.

use limn_pipeline::Frame;

use crate::lettering::{Line, write};
use crate::pool::Pool;

/// In two lines, so that they can be read in a small picture.
const WORDS: [&str; 2] = ["hidden by the", "safety checker"];
const INK: [u8; 3] = [236, 236, 240];

/// The picture, which is blurred already, with words that say why. Without them, should they fail, it may be shown as well.
pub async fn lettered(frame: Frame, pool: &Pool) -> Frame {
    let blurred = frame.clone();
    let hidden = pool.run(move || write_over(&blurred)).await;
    hidden.unwrap_or(frame)
}

/// Darkened so that the words can be read on any picture.
fn write_over(frame: &Frame) -> Frame {
    let size = frame.size();
    let mut pixels: Vec<u8> = frame.pixels().iter().map(|value| value / 3).collect();
    let (width, height) = (size.width as f32, size.height as f32);
    let tall = width.min(height) / 7.0;
    for (words, below) in WORDS.into_iter().zip([-0.6, 0.6]) {
        let line = Line {
            x: width / 2.0,
            y: height / 2.0 + below * tall,
            height: tall,
            width: width * 0.86,
            ink: INK,
        };
        write(words, line, &mut pixels, size);
    }
    let hidden = Frame::rgb8(size, pixels).expect("made of a picture of that size");
    hidden.stamped_like(frame)
}

#[cfg(test)]
mod tests {
    use limn_pipeline::Size;

    use super::*;

    #[test]
    fn the_words_can_be_read_on_white_and_on_black() {
        for size in [Size::new(64, 64), Size::new(512, 512), Size::new(360, 640)] {
            for ground in [[0; 3], [255; 3]] {
                let frame = write_over(&Frame::filled(size, ground));
                assert_eq!(frame.size(), size);
                let bright = frame.pixels().iter().filter(|value| **value > 120).count();
                let share = bright as f64 / frame.pixels().len() as f64;
                assert!(
                    (0.002..0.1).contains(&share),
                    "{ground:?} at {size}: {share}"
                );
                assert!(frame.pixels().iter().all(|value| *value <= 240));
            }
        }
    }
}
