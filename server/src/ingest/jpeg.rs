//! What of a JPEG may leave as it came: the picture, and neither where it was taken nor a part of somebody else's stream.
//!
//! Markers and segments are those of ITU-T T.81, annex B.

use std::ops::Range;

use bytes::Bytes;
use memchr::{memchr, memmem};

/// What stands between the pictures of our multipart streams. A picture that has it inside would end there for a browser, and
/// go on as whatever its sender likes.
pub const BOUNDARY: &[u8] = b"--frame";

const START_OF_IMAGE: [u8; 2] = [0xff, 0xd8];
const END_OF_IMAGE: u8 = 0xd9;
const START_OF_SCAN: u8 = 0xda;
const COMMENT: u8 = 0xfe;
/// JFIF's, which has the shape of a pixel.
const APP0: u8 = 0xe0;
/// Adobe's, without which its colours are read wrongly.
const APP14: u8 = 0xee;
const APP15: u8 = 0xef;

/// `bytes` without comments, without the segments of applications (Exif with its place and time, thumbnails, profiles), and
/// without what follows the picture; the very same memory where there is none of these. `None` if the JPEG has to be
/// compressed anew: it holds the boundary of our streams, or is not built as one expects.
pub fn kept(bytes: &Bytes) -> Option<Bytes> {
    let pieces = pieces(bytes)?;
    let kept = match pieces.as_slice() {
        [whole] => bytes.slice(whole.clone()),
        several => {
            let several: Vec<_> = several.iter().map(|piece| &bytes[piece.clone()]).collect();
            several.concat().into()
        }
    };
    memmem::find(&kept, BOUNDARY).is_none().then_some(kept)
}

/// What is left between that which is taken out.
fn pieces(bytes: &[u8]) -> Option<Vec<Range<usize>>> {
    if !bytes.starts_with(&START_OF_IMAGE) {
        return None;
    }
    let (mut pieces, mut start, mut scanned) = (Vec::new(), 0, false);
    let mut at = START_OF_IMAGE.len();
    loop {
        let [0xff, marker] = *bytes.get(at..at + 2)? else {
            return None;
        };
        let end = match marker {
            // A filling byte.
            0xff => at + 1,
            END_OF_IMAGE => {
                pieces.push(start..at + 2);
                return Some(pieces);
            }
            // These have no length, and no place here.
            ..=0x01 | 0xd0..=0xd8 => return None,
            _ => at + 2 + length(bytes, at + 2)?,
        };
        let foreign = marker == COMMENT || (marker > APP0 && marker <= APP15 && marker != APP14);
        if foreign {
            // In the middle of a picture nobody has them, and readers do not agree on what it then shows.
            if scanned {
                return None;
            }
            pieces.push(start..at);
            start = end;
        }
        scanned |= marker == START_OF_SCAN;
        at = if marker == START_OF_SCAN {
            end_of_scan(bytes, end)?
        } else {
            end
        };
    }
}

/// What a segment says of its length, those two bytes included.
fn length(bytes: &[u8], at: usize) -> Option<usize> {
    let length = bytes.get(at..at + 2)?;
    let length = u16::from_be_bytes([length[0], length[1]]);
    (length >= 2).then_some(length.into())
}

/// Where the compressed bytes that begin at `at` end: at the next marker, if it is none of their own.
fn end_of_scan(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr(0xff, bytes.get(at..)?)?;
        match bytes.get(at + 1)? {
            0x00 | 0xd0..=0xd7 => at += 2,
            _ => return Some(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{ImageFormat, RgbImage};

    use super::*;

    fn picture() -> Vec<u8> {
        let mut bytes = Vec::new();
        RgbImage::from_fn(64, 48, |x, y| image::Rgb([x as u8 * 3, y as u8 * 5, 99]))
            .write_to(&mut Cursor::new(&mut bytes), ImageFormat::Jpeg)
            .unwrap();
        bytes
    }

    fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u16 + 2).to_be_bytes();
        [&[0xff, marker], &length[..], content].concat()
    }

    /// `picture` with something put in at `at`.
    fn with(at: usize, inside: &[u8]) -> Bytes {
        let picture = picture();
        [&picture[..at], inside, &picture[at..]].concat().into()
    }

    /// Where a scan's compressed bytes begin.
    fn scan(jpeg: &[u8]) -> usize {
        let at = memmem::find(jpeg, &[0xff, START_OF_SCAN]).unwrap();
        at + 2 + length(jpeg, at + 2).unwrap()
    }

    #[test]
    fn what_has_nothing_to_take_out_is_not_copied() {
        let plain = Bytes::from(picture());
        assert_eq!(kept(&plain).unwrap().as_ptr(), plain.as_ptr());
        assert_eq!(kept(&plain).unwrap(), plain);
        // What cameras fill up with, and what telephones hang behind a picture.
        for more in [&[0; 9][..], b"a film\xff\xd9"] {
            let longer = Bytes::from([&plain[..], more].concat());
            assert_eq!(kept(&longer).unwrap().as_ptr(), longer.as_ptr());
            assert_eq!(kept(&longer).unwrap(), plain);
        }
    }

    #[test]
    fn comments_and_what_applications_add_are_taken_out() {
        for marker in (APP0 + 1..=APP15)
            .filter(|marker| *marker != APP14)
            .chain([COMMENT])
        {
            let secret = segment(marker, b"Exif\0\0 52.5 N 13.4 E");
            assert_eq!(kept(&with(2, &secret)).unwrap(), picture(), "{marker:x}");
            let twice = [&secret[..], &[0xff], &segment(marker, b"")].concat();
            let twice = kept(&with(2, &twice)).unwrap();
            assert!(memmem::find(&twice, b"Exif").is_none(), "{marker:x}");
            assert_eq!(
                image::load_from_memory(&twice).unwrap(),
                image::load_from_memory(&picture()).unwrap()
            );
        }
        let adobe = with(2, &segment(APP14, b"Adobe\0d\0\0\0\0\x01"));
        assert_eq!(kept(&adobe).unwrap(), adobe);
    }

    #[test]
    fn a_part_of_a_stream_is_no_part_of_a_picture() {
        let part = b"\r\n--frame\r\nContent-Type: text/html\r\n\r\n<script>";
        let comment = with(2, &segment(COMMENT, part));
        assert_eq!(kept(&comment).unwrap(), picture());
        // Where it cannot be taken out the picture is compressed anew.
        for holder in [
            with(2, &segment(APP0, part)),
            with(2, &segment(APP14, part)),
            with(scan(&picture()), part),
            with(scan(&picture()), &segment(COMMENT, b"")),
        ] {
            assert_eq!(kept(&holder), None);
        }
    }

    #[test]
    fn what_is_not_built_as_one_expects_is_not_kept() {
        let whole = picture();
        for cut in 0..whole.len() {
            assert_eq!(kept(&Bytes::copy_from_slice(&whole[..cut])), None, "{cut}");
        }
        for inside in [
            &b"junk"[..],
            &[0xff, 0xd8],
            &[0xff, COMMENT, 0, 1],
            &[0xff, COMMENT, 0xff, 0xff],
        ] {
            assert_eq!(kept(&with(2, inside)), None, "{inside:x?}");
        }
    }
}
