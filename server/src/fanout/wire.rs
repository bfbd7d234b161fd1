//! How a part of a multipart stream is framed, which decides when a reader shows it.
//!
//! Measured: Chromium ends a part when the *headers* of the next one parse, Firefox when the boundary arrives, FFmpeg by
//! `Content-Length` or, without it, by the next boundary. So a picture is late by one frame in one of them, whatever one
//! sends to all; hence a wire for each kind of reader.

use std::fmt::Write;

use bytes::Bytes;
use limn_pipeline::Timestamp;

use crate::picture::Picture;

/// What follows a picture: its end, and for a browser also the beginning of the next part. No picture that came as a JPEG has
/// the boundary inside (`ingest/jpeg.rs`).
const NEXT: &[u8] = b"\r\n--frame\r\n";
const NEXT_WITH_HEADERS: &[u8] = b"\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n";

/// How a part is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// The boundary and the next part's whole headers follow each picture at once; no length.
    Browser,
    /// The boundary follows each picture; each part says its `Content-Length`.
    Length,
    /// As `Length`, and every picture twice: for readers of both kinds behind one URL.
    Double,
}

impl Wire {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Browser, Self::Length, Self::Double];

    /// The wire of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|wire| wire.name() == name)
    }

    /// Its name behind `?wire=`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Length => "length",
            Self::Double => "double",
        }
    }

    /// What comes before the first picture.
    pub fn preamble(self) -> Bytes {
        match self {
            Self::Browser => Bytes::from_static(&NEXT_WITH_HEADERS[2..]),
            Self::Length | Self::Double => Bytes::from_static(&NEXT[2..]),
        }
    }

    /// One picture, so framed that its reader can show it now. `times` adds our own times to its headers, where it has any.
    pub fn part(self, picture: &Picture, times: bool) -> Bytes {
        match self {
            Self::Browser => picture.part(0, || framed("", picture, NEXT_WITH_HEADERS)),
            // The moment of sending is each viewer's own.
            _ if times => self.repeated(framed(&head(picture, true), picture, NEXT)),
            _ => self.repeated(picture.part(1, || framed(&head(picture, false), picture, NEXT))),
        }
    }

    fn repeated(self, part: Bytes) -> Bytes {
        if self == Self::Double {
            return [&part[..], &part[..]].concat().into();
        }
        part
    }
}

fn framed(head: &str, picture: &Picture, next: &[u8]) -> Bytes {
    [head.as_bytes(), &picture.jpeg.bytes, next].concat().into()
}

/// The headers of a part that says its length.
fn head(picture: &Picture, times: bool) -> String {
    let jpeg = &picture.jpeg;
    let mut head = format!(
        "Content-Type: image/jpeg\r\nContent-Length: {}\r\nX-Timestamp: {}\r\n",
        jpeg.bytes.len(),
        jpeg.captured
    );
    let mut line = |name: &str, value: &dyn std::fmt::Display| {
        let _ = write!(head, "X-Limn-{name}: {value}\r\n");
    };
    if let Some(placard) = picture.placard {
        line("Placard", &placard);
    }
    if times {
        line("Sequence", &jpeg.sequence);
        line("Captured", &jpeg.captured);
        line("Painted", &picture.painted);
        line("Encoded", &picture.encoded);
        line("Sent", &Timestamp::now());
    }
    head + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fanout::tests::picture;

    fn sent(wire: Wire) -> String {
        let mut picture = picture(1, "JPEG");
        picture.jpeg.captured = Timestamp::default();
        let bytes = [wire.preamble(), wire.part(&picture, false)].concat();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_boundary_is_what_no_picture_may_hold() {
        let boundary = crate::ingest::jpeg::BOUNDARY;
        for next in [NEXT, NEXT_WITH_HEADERS] {
            assert_eq!(next[2..2 + boundary.len()], *boundary);
        }
    }

    #[test]
    fn a_browser_gets_the_next_headers_with_each_picture() {
        assert_eq!(
            sent(Wire::Browser),
            "--frame\r\nContent-Type: image/jpeg\r\n\r\nJPEG\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n"
        );
    }

    #[test]
    fn a_player_gets_lengths_and_the_boundary_behind_each_picture() {
        let part = "Content-Type: image/jpeg\r\nContent-Length: 4\r\nX-Timestamp: 0.000000\r\n\r\nJPEG\r\n--frame\r\n";
        assert_eq!(sent(Wire::Length), format!("--frame\r\n{part}"));
        assert_eq!(sent(Wire::Double), format!("--frame\r\n{part}{part}"));
    }

    #[test]
    fn viewers_of_one_wire_share_the_bytes_and_times_are_each_viewers_own() {
        let picture = picture(7, "JPEG");
        let (one, other) = (
            Wire::Length.part(&picture, false),
            Wire::Length.part(&picture, false),
        );
        assert_eq!(one.as_ptr(), other.as_ptr());
        let timed = Wire::Length.part(&picture, true);
        let text = String::from_utf8_lossy(&timed);
        for name in ["Sequence: 7", "Captured", "Painted", "Encoded", "Sent"] {
            assert!(text.contains(&format!("X-Limn-{name}")), "{name} in {text}");
        }
    }
}
