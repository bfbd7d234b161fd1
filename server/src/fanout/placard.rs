//! What a stream shows where there is no picture: words on a dark ground, in the size of the session's pictures.

use ab_glyph::{Font, FontRef, Glyph, PxScale, ScaleFont, point};
use limn_pipeline::{Frame, Size};

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
        let font = FontRef::try_from_slice(epaint_default_fonts::UBUNTU_LIGHT)
            .expect("a font that ships is one");
        let mut write = |text: &str, most: f32, middle: f32, ink: [u8; 3]| {
            let scale = PxScale::from(fitting(&font, text, most, width * 0.86));
            let glyphs = line_of(&font, text, scale, width / 2.0, middle);
            for glyph in glyphs {
                draw(&font, glyph, ink, &mut pixels, size);
            }
        };
        let side = width.min(height);
        write(title, side / 7.0, height * 0.48, INK);
        write(&line, side / 15.0, height * 0.48 + side / 7.0, SOFT);
        Frame::rgb8(size, pixels).expect("made with three bytes a pixel")
    }
}

/// The largest letters up to `most` pixels with which `text` is no wider than `width`.
fn fitting(font: &FontRef<'_>, text: &str, most: f32, width: f32) -> f32 {
    let wide = advance(font, text, PxScale::from(most));
    if wide > width {
        most * width / wide
    } else {
        most
    }
}

fn advance(font: &FontRef<'_>, text: &str, scale: PxScale) -> f32 {
    let font = font.as_scaled(scale);
    text.chars()
        .map(|letter| font.h_advance(font.glyph_id(letter)))
        .sum()
}

/// The glyphs of one line, centred on `x` and `middle`.
fn line_of(font: &FontRef<'_>, text: &str, scale: PxScale, x: f32, middle: f32) -> Vec<Glyph> {
    let scaled = font.as_scaled(scale);
    let mut at = x - advance(font, text, scale) / 2.0;
    let base = middle + (scaled.ascent() + scaled.descent()) / 2.0;
    text.chars()
        .map(|letter| {
            let id = scaled.glyph_id(letter);
            let glyph = id.with_scale_and_position(scale, point(at, base));
            at += scaled.h_advance(id);
            glyph
        })
        .collect()
}

fn draw(font: &FontRef<'_>, glyph: Glyph, ink: [u8; 3], pixels: &mut [u8], size: Size) {
    let Some(outline) = font.outline_glyph(glyph) else {
        return;
    };
    let corner = outline.px_bounds().min;
    outline.draw(|x, y, cover| {
        let (x, y) = (
            corner.x as i64 + i64::from(x),
            corner.y as i64 + i64::from(y),
        );
        if !(0..i64::from(size.width)).contains(&x) || !(0..i64::from(size.height)).contains(&y) {
            return;
        }
        let start = (y as usize * size.width as usize + x as usize) * 3;
        for (channel, ink) in pixels[start..start + 3].iter_mut().zip(ink) {
            let there = f32::from(*channel);
            *channel = (there + (f32::from(ink) - there) * cover.clamp(0.0, 1.0)).round() as u8;
        }
    });
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
