//! Words in a picture: one line, centred.

use ab_glyph::{Font, FontRef, Glyph, PxScale, ScaleFont, point};
use limn_pipeline::Size;

/// Where a line of words stands and how it looks.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Pixels from the left to its middle.
    pub x: f32,
    /// Pixels from the top to its middle.
    pub y: f32,
    /// The height of the letters, in pixels, as far as the line fits in `width`.
    pub height: f32,
    /// The most that it may be wide, in pixels.
    pub width: f32,
    /// Red first.
    pub ink: [u8; 3],
}

/// Writes `text` over `pixels`: three bytes each, red first, `size` of them.
pub fn write(text: &str, line: Line, pixels: &mut [u8], size: Size) {
    let font = FontRef::try_from_slice(epaint_default_fonts::UBUNTU_LIGHT)
        .expect("a font that ships is one");
    let wide = advance(&font, text, PxScale::from(line.height));
    let scale = PxScale::from(line.height * (line.width / wide.max(1.0)).min(1.0));
    for glyph in glyphs(&font, text, scale, line) {
        draw(&font, glyph, line.ink, pixels, size);
    }
}

fn advance(font: &FontRef<'_>, text: &str, scale: PxScale) -> f32 {
    let font = font.as_scaled(scale);
    text.chars()
        .map(|letter| font.h_advance(font.glyph_id(letter)))
        .sum()
}

fn glyphs(font: &FontRef<'_>, text: &str, scale: PxScale, line: Line) -> Vec<Glyph> {
    let scaled = font.as_scaled(scale);
    let mut at = line.x - advance(font, text, scale) / 2.0;
    let base = line.y + (scaled.ascent() + scaled.descent()) / 2.0;
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
