//! What a WebP says of itself in places that its decoder believes: its chunks, walked before it is decoded.
//!
//! RIFF: `RIFF`, a length, `WEBP`, then chunks of a name, a length and so many bytes, each beginning at an even one
//! (RFC 9649, section 2).

use crate::ingest::decode::IngestError;

/// Where the chunks begin, and those within a frame of an animation.
const HEAD: usize = 12;
const FRAME_HEAD: usize = 16;

/// What the decoder makes room for as soon as somebody asks how the picture is turned.
const METADATA: [&[u8; 4]; 3] = [b"EXIF", b"ICCP", b"XMP "];

/// Refuses what image-webp 0.2.4 takes memory for before it looks whether it is there: metadata longer than the file
/// (`read_chunk`), and a lossy picture with more than `max_pixels` in a frame that says it is smaller (`read_image` compares
/// them once all is decoded).
pub fn check(webp: &[u8], max_pixels: u64) -> Result<(), IngestError> {
    let mut frames = 0;
    for (name, length, rest) in chunks(webp, HEAD) {
        if METADATA.contains(&name) && length > rest.len() {
            return Err(IngestError::Broken(format!(
                "the webp of {} bytes ends within its metadata of {length} bytes",
                webp.len()
            )));
        }
        if name == b"ANMF" {
            frames += 1;
            // The others are not decoded. A chunk within may say that it is longer than the frame, and is read so.
            if frames == 1 {
                for (name, _, rest) in chunks(rest, FRAME_HEAD) {
                    check_lossy(name, rest, max_pixels)?;
                }
            }
        }
        check_lossy(name, rest, max_pixels)?;
    }
    Ok(())
}

/// The names and lengths of the chunks that begin at `start`, with all bytes that follow each head.
fn chunks(bytes: &[u8], start: usize) -> impl Iterator<Item = (&[u8; 4], usize, &[u8])> {
    let mut left = bytes.get(start..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (name, after) = left.split_first_chunk::<4>()?;
        let (length, rest) = after.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        let next = length.saturating_add(length % 2);
        left = rest.get(next..).unwrap_or_default();
        Some((name, length, rest))
    })
}

/// A key frame's size stands behind three bytes of tag and three of start code, in 14 bits each (RFC 6386, section 9.1).
fn check_lossy(name: &[u8; 4], frame: &[u8], max_pixels: u64) -> Result<(), IngestError> {
    let &[_, _, _, _, _, _, w0, w1, h0, h1, ..] = frame else {
        return Ok(());
    };
    let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
    let (width, height) = (side(w0, w1), side(h0, h1));
    if name == b"VP8 " && u64::from(width) * u64::from(height) > max_pixels {
        return Err(IngestError::TooManyPixels {
            width,
            height,
            limit: max_pixels,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let mut chunk = name.to_vec();
        chunk.extend((content.len() as u32).to_le_bytes());
        chunk.extend(content);
        chunk.resize(chunk.len().next_multiple_of(2), 0);
        chunk
    }

    fn webp(chunks: &[Vec<u8>]) -> Vec<u8> {
        let content = chunks.concat();
        let length = content.len() as u32 + 4;
        [b"RIFF", &length.to_le_bytes(), b"WEBP", &content[..]].concat()
    }

    /// The head of a lossy picture.
    fn lossy(width: u16, height: u16) -> Vec<u8> {
        let [w0, w1] = width.to_le_bytes();
        let [h0, h1] = height.to_le_bytes();
        chunk(b"VP8 ", &[0, 0, 0, 0x9d, 1, 0x2a, w0, w1, h0, h1, 7])
    }

    fn said(webp: &[u8]) -> String {
        check(webp, 1_000).unwrap_err().to_string()
    }

    #[test]
    fn whole_ones_pass_whatever_they_hold() {
        let metadata = chunk(b"EXIF", b"II*");
        for chunks in [
            vec![lossy(10, 100)],
            vec![metadata.clone(), lossy(10, 100)],
            vec![chunk(b"NONE", b"x"), lossy(4, 4), metadata],
            vec![chunk(b"ANMF", &[&[0; 16][..], &lossy(4, 4)].concat())],
        ] {
            check(&webp(&chunks), 1_000).unwrap();
        }
        // Neither a chunk nor a picture: the decoder says so.
        check(b"RIFF", 1_000).unwrap();
        check(&webp(&[b"VP".to_vec()]), 1_000).unwrap();
    }

    #[test]
    fn metadata_of_4_gb_in_a_small_file_is_refused() {
        for name in METADATA {
            let mut file = webp(&[lossy(4, 4)]);
            file.extend(name);
            file.extend([0xfe, 0xff, 0xff, 0xff, 1, 2]);
            let words = format!(
                "the picture cannot be decoded: the webp of {} bytes ends within its metadata of 4294967294 bytes",
                file.len()
            );
            assert_eq!(said(&file), words);
        }
    }

    #[test]
    fn a_large_picture_in_a_small_frame_is_refused() {
        let small = chunk(b"VP8X", &[0, 0, 0, 0, 3, 0, 0, 3, 0, 0]);
        let large = lossy(16_383, 16_383);
        let moving = chunk(b"ANMF", &[&[0; 16][..], &large].concat());
        for chunks in [[small.clone(), large.clone()], [small, moving]] {
            assert_eq!(
                said(&webp(&chunks)),
                "a picture of 16383x16383 is over the limit of 1000 pixels"
            );
        }
    }
}
