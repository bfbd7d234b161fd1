//! A reader of streams with `Content-Length` that keeps nothing but a picture's first bytes, so that the bench costs
//! less than what it measures. The server's own reader copies each picture once.

use anyhow::{Context, ensure};

use crate::marker::PREFIX_BYTES;

/// No honest head is longer.
const LONGEST_HEAD: usize = 8 << 10;

/// Where in a stream one is.
#[derive(Debug)]
pub struct Skim {
    head: Vec<u8>,
    /// Bytes of the picture that are still to come; 0 between pictures.
    left: usize,
    /// The part is a placard: no picture of the camera's.
    placard: bool,
    prefix: [u8; PREFIX_BYTES],
    filled: usize,
}

impl Default for Skim {
    fn default() -> Self {
        Self {
            head: Vec::new(),
            left: 0,
            placard: false,
            prefix: [0; PREFIX_BYTES],
            filled: 0,
        }
    }
}

impl Skim {
    /// Passes over `bytes` and calls `whole` with the first bytes of each picture whose last byte is among them.
    pub fn pass(
        &mut self,
        mut bytes: &[u8],
        mut whole: impl FnMut(&[u8; PREFIX_BYTES]),
    ) -> anyhow::Result<()> {
        while let [first, rest @ ..] = bytes {
            if self.left > 0 {
                let (part, rest) = bytes.split_at(self.left.min(bytes.len()));
                let wanted = part.len().min(PREFIX_BYTES - self.filled);
                self.prefix[self.filled..][..wanted].copy_from_slice(&part[..wanted]);
                self.filled += wanted;
                self.left -= part.len();
                if self.left == 0 {
                    if !self.placard {
                        whole(&self.prefix);
                    }
                    self.filled = 0;
                }
                bytes = rest;
                continue;
            }
            self.head.push(*first);
            bytes = rest;
            if self.head.ends_with(b"\r\n\r\n") {
                // The head of the whole answer has no length, and no picture behind it.
                let length = header(&self.head, "content-length")?;
                self.left = length.map_or(Ok(0), |length| {
                    length
                        .parse()
                        .with_context(|| format!("the length `{length}`"))
                })?;
                self.placard = header(&self.head, "x-limn-placard")?.is_some();
                self.head.clear();
            }
            ensure!(
                self.head.len() < LONGEST_HEAD,
                "a head of more than {LONGEST_HEAD} bytes"
            );
        }
        Ok(())
    }
}

fn header<'a>(head: &'a [u8], wanted: &str) -> anyhow::Result<Option<&'a str>> {
    let head = std::str::from_utf8(head).context("a head is not text")?;
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    let said = lines.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
    Ok(said.map(|(_, value)| value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sees_each_picture_however_the_stream_is_cut() {
        let picture = [b'x'; PREFIX_BYTES + 9];
        let part = [
            &b"Content-Type: image/jpeg\r\ncontent-length: 39\r\n\r\n"[..],
            &picture,
            b"\r\n--frame\r\n",
        ]
        .concat();
        let stream = [
            &b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n--frame\r\n"[..],
            &part,
            &part,
        ]
        .concat();
        for size in [1, 7, stream.len()] {
            let (mut skim, mut seen) = (Skim::default(), 0);
            for piece in stream.chunks(size) {
                skim.pass(piece, |prefix| {
                    assert_eq!(prefix, &[b'x'; PREFIX_BYTES]);
                    seen += 1;
                })
                .expect("a stream");
            }
            assert_eq!(seen, 2);
        }
    }
}
