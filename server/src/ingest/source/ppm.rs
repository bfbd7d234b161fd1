//! Raw pictures one after the other, each with its size before it: PPM, of the kind `P6` (netpbm's ppm(5)).

use std::io::{Error, ErrorKind, Result};

use limn_pipeline::{Frame, Size};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// No source has more pixels.
const MOST: u64 = 64 << 20;

/// The next picture; `None` at the end.
pub async fn read(from: &mut (impl AsyncBufRead + Unpin)) -> Result<Option<Frame>> {
    let mut head = Vec::new();
    for _ in 0..3 {
        if from.read_until(b'\n', &mut head).await? == 0 {
            return if head.is_empty() {
                Ok(None)
            } else {
                Err(ErrorKind::UnexpectedEof.into())
            };
        }
    }
    let size = size(&head).ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidData,
            "what came is no picture in the form of `P6`",
        )
    })?;
    let mut pixels = vec![0; size.area() * 3];
    from.read_exact(&mut pixels).await?;
    Ok(Frame::rgb8(size, pixels).ok())
}

/// Out of `P6`, width and height, 255: as ffmpeg writes it, three lines.
fn size(head: &[u8]) -> Option<Size> {
    let text = std::str::from_utf8(head).ok()?;
    let mut words = text.split_ascii_whitespace();
    if words.next()? != "P6" {
        return None;
    }
    let (width, height): (u32, u32) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let fits = width > 0 && height > 0 && u64::from(width) * u64::from(height) <= MOST;
    (fits && words.next()? == "255").then(|| Size::new(width, height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn pictures_come_one_after_the_other_and_rubble_is_told() {
        let mut bytes = &b"P6\n2 1\n255\nabcdefP6\n1 1\n255\nxyz"[..];
        let first = read(&mut bytes).await.unwrap().unwrap();
        assert_eq!(
            (first.size(), &first.pixels()[..]),
            (Size::new(2, 1), &b"abcdef"[..])
        );
        assert_eq!(
            read(&mut bytes).await.unwrap().unwrap().size(),
            Size::new(1, 1)
        );
        assert!(read(&mut bytes).await.unwrap().is_none());
        for rubble in [
            "P5\n1 1\n255\nx",
            "P6\n0 1\n255\n",
            "P6\n99999 99999\n255\n",
            "P6\n1 1\n255\nxy",
            "P6\n",
        ] {
            assert!(read(&mut rubble.as_bytes()).await.is_err(), "{rubble:?}");
        }
    }
}
