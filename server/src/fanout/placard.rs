//! What a stream shows where there is no picture: words on a dark ground, in the size of the session's pictures.

use limn_pipeline::{Frame, Size};

use crate::lettering::{Line, write};

const GROUND: [u8; 3] = [20, 20, 26];
const INK: [u8; 3] = [236, 236, 240];
const SOFT: [u8; 3] = [150, 150, 162];

/// What is the matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placard {
    /// The chosen row is being read.
    Loading(&'static str),
    /// No picture has come yet.
    Waiting,
    /// The camera has gone, or sends nothing any more.
    Lost,
    /// The source broke, and is tried again.
    Reconnecting,
    /// The device is being taken up again.
    Recovering,
    /// The last frame could not be painted.
    Fault,
    /// The session is over.
    Ended,
    /// The server stops.
    Draining,
    /// No session is on air.
    OffAir,
}

impl Placard {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Loading(_) => "loading",
            Self::Waiting => "waiting",
            Self::Lost => "lost",
            Self::Reconnecting => "reconnecting",
            Self::Recovering => "recovering",
            Self::Fault => "fault",
            Self::Ended => "ended",
            Self::Draining => "draining",
            Self::OffAir => "off-air",
        }
    }

    /// Whether nothing comes after the placard of that name.
    pub fn is_last_word(name: &str) -> bool {
        [Self::Ended, Self::Draining]
            .iter()
            .any(|placard| placard.name() == name)
    }

    fn words(self) -> (&'static str, String) {
        match self {
            Self::Loading(row) => ("Loading", format!("{row} is being read")),
            Self::Waiting => ("Waiting for a camera", String::new()),
            Self::Lost => (
                "Camera lost",
                "it goes on when pictures come again".to_owned(),
            ),
            Self::Reconnecting => ("Reconnecting", "the source is tried again".to_owned()),
            Self::Recovering => ("Recovering", "the picture is back in a moment".to_owned()),
            Self::Fault => ("Not painted", "the next picture is tried".to_owned()),
            Self::Ended => ("Session ended", String::new()),
            Self::Draining => ("Server stopping", "it may be back in a moment".to_owned()),
            Self::OffAir => ("Off air", String::new()),
        }
    }

    /// The picture.
    pub fn render(self, size: Size) -> Frame {
        let mut pixels = GROUND.repeat(size.area());
        let (title, line) = self.words();
        let (width, height) = (size.width as f32, size.height as f32);
        let side = width.min(height);
        let mut put = |text: &str, tall: f32, y: f32, ink| {
            let line = Line {
                x: width / 2.0,
                y,
                height: tall,
                width: width * 0.86,
                ink,
            };
            write(text, line, &mut pixels, size);
        };
        put(title, side / 7.0, height * 0.48, INK);
        put(&line, side / 15.0, height * 0.48 + side / 7.0, SOFT);
        Frame::rgb8(size, pixels).expect("made with three bytes a pixel")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_words_of_its_own_in_every_size() {
        let all = [
            Placard::Loading("img2img"),
            Placard::Waiting,
            Placard::Lost,
            Placard::Reconnecting,
            Placard::Ended,
            Placard::Draining,
            Placard::OffAir,
        ];
        for size in [
            Size::new(64, 64),
            Size::new(512, 512),
            Size::new(1280, 720),
            Size::new(360, 640),
        ] {
            let frames = all.map(|placard| placard.render(size));
            for (index, frame) in frames.iter().enumerate() {
                let bright = frame
                    .pixels()
                    .chunks_exact(3)
                    .filter(|pixel| pixel[0] > 90)
                    .count();
                let share = bright as f64 / size.area() as f64;
                assert!(
                    (0.003..0.2).contains(&share),
                    "{:?} at {size}: {share}",
                    all[index]
                );
                assert!(
                    frames[..index]
                        .iter()
                        .all(|other| !other.same_picture(frame))
                );
                // Nothing touches the border: the words are whole.
                let row = size.width as usize * 3;
                let sides = frame
                    .pixels()
                    .chunks_exact(row)
                    .flat_map(|row| [&row[..3], &row[row.len() - 3..]]);
                assert!(
                    sides.into_iter().all(|pixel| pixel == GROUND),
                    "{:?} at {size}",
                    all[index]
                );
            }
        }
    }
}
