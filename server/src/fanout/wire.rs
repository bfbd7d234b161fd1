//! How a part of a multipart stream is framed, which decides when a reader shows it.
//!
//! Measured: Chromium ends a part when the *headers* of the next one parse, Firefox when the boundary arrives, FFmpeg by
//! `Content-Length` or, without it, by the next boundary. So a picture is late by one frame in one of them, whatever one
//! sends to all; hence a wire for each kind of reader.

use bytes::Bytes;
use limn_pipeline::JpegFrame;
use serde::Deserialize;

/// Letters only, no quotes and no leading dashes in the header: Safari freezes otherwise. The nearest peer's name.
pub const BOUNDARY: &str = "frame";

/// How a part is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wire {
    /// The boundary and the next part's whole headers follow each picture at once; no length.
    Browser,
    /// The boundary follows each picture; each part says its `Content-Length`.
    Length,
    /// As `Length`, and every picture twice: for readers of both kinds behind one URL.
    Double,
}

impl Wire {
    /// What comes before the first picture.
    pub fn preamble(self) -> Bytes {
        match self {
            Self::Browser => Bytes::from_static(b"--frame\r\nContent-Type: image/jpeg\r\n\r\n"),
            Self::Length | Self::Double => Bytes::from_static(b"--frame\r\n"),
        }
    }

    /// One picture, so framed that its reader can show it now; pieces to be sent in order, the picture itself not copied.
    pub fn part(self, jpeg: &JpegFrame) -> Vec<Bytes> {
        match self {
            Self::Browser => vec![
                jpeg.bytes.clone(),
                Bytes::from_static(b"\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n"),
            ],
            Self::Length => Self::with_length(jpeg).to_vec(),
            Self::Double => [Self::with_length(jpeg), Self::with_length(jpeg)].concat(),
        }
    }

    fn with_length(jpeg: &JpegFrame) -> [Bytes; 3] {
        let head = format!(
            "Content-Type: image/jpeg\r\nContent-Length: {}\r\nX-Timestamp: {}\r\n\r\n",
            jpeg.bytes.len(),
            jpeg.captured
        );
        [
            head.into(),
            jpeg.bytes.clone(),
            Bytes::from_static(b"\r\n--frame\r\n"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use limn_pipeline::{Size, Timestamp};

    fn sent(wire: Wire) -> String {
        let jpeg = JpegFrame {
            size: Size::new(1, 1),
            bytes: Bytes::from_static(b"JPEG"),
            sequence: 1,
            captured: Timestamp::default(),
        };
        let bytes = [vec![wire.preamble()], wire.part(&jpeg)].concat().concat();
        String::from_utf8(bytes).unwrap()
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
}
