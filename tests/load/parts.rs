//! A reader of multipart streams with lengths that takes nothing on trust: the boundary, the length, a whole JPEG.

use anyhow::{Context, bail, ensure};

use limn_tests::http::{Headers, find, headers, position};

const BOUNDARY: &[u8] = b"--frame\r\n";
const DELIMITER: &[u8] = b"\r\n--frame\r\n";

/// No honest head is longer.
const LONGEST_HEAD: usize = 8 << 10;

/// One whole part.
pub struct Part<'a> {
    pub headers: Headers,
    pub jpeg: &'a [u8],
    /// How long all of it is, head and delimiter included.
    pub bytes: usize,
}

impl Part<'_> {
    /// What it says where there is no picture.
    pub fn placard(&self) -> Option<&str> {
        find(&self.headers, "x-limn-placard")
    }
}

/// Where in a stream one is.
#[derive(Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Answer,
    Boundary,
    Part,
    Refusal,
}

#[derive(Debug, Default)]
pub struct Parts {
    place: Place,
    buffer: Vec<u8>,
    status: Option<u16>,
}

impl Parts {
    /// How the request was answered, once it was.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// Whether all that came was whole: nothing of a next part is there.
    pub fn is_whole(&self) -> bool {
        self.place == Place::Part && self.buffer.is_empty()
    }

    /// What a refusal says, as far as it came.
    pub fn refusal(&self) -> String {
        String::from_utf8_lossy(&self.buffer).into_owned()
    }

    /// Takes `bytes` and calls `whole` with each part that they complete.
    pub fn pass(
        &mut self,
        bytes: &[u8],
        mut whole: impl FnMut(Part<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.buffer.extend_from_slice(bytes);
        loop {
            let taken = match self.place {
                Place::Answer => match position(&self.buffer, b"\r\n\r\n") {
                    Some(end) => {
                        let head = String::from_utf8_lossy(&self.buffer[..end]);
                        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
                        let status: u16 = status.context("an answer without a status")?;
                        self.status = Some(status);
                        self.place = if status == 200 {
                            Place::Boundary
                        } else {
                            Place::Refusal
                        };
                        end + 4
                    }
                    None => return self.is_short(),
                },
                Place::Boundary if self.buffer.len() < BOUNDARY.len() => return Ok(()),
                Place::Boundary => {
                    ensure!(self.buffer.starts_with(BOUNDARY), "no boundary goes first");
                    self.place = Place::Part;
                    BOUNDARY.len()
                }
                Place::Part => match self.part(&mut whole)? {
                    Some(taken) => taken,
                    None => return Ok(()),
                },
                Place::Refusal => return Ok(()),
            };
            self.buffer.drain(..taken);
        }
    }

    fn is_short(&self) -> anyhow::Result<()> {
        ensure!(
            self.buffer.len() < LONGEST_HEAD,
            "a head of more than {LONGEST_HEAD} bytes"
        );
        Ok(())
    }

    /// How long the part was, its delimiter included, if all of it is there.
    fn part(
        &self,
        whole: &mut impl FnMut(Part<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<Option<usize>> {
        let Some(end) = position(
            &self.buffer[..self.buffer.len().min(LONGEST_HEAD)],
            b"\r\n\r\n",
        ) else {
            self.is_short()?;
            return Ok(None);
        };
        let head = std::str::from_utf8(&self.buffer[..end]).context("a part's head is no text")?;
        let headers = headers(head.split("\r\n"));
        if find(&headers, "content-type") != Some("image/jpeg") {
            bail!("a part of another type: `{head}`");
        }
        let length = find(&headers, "content-length").context("a part without a length")?;
        let length: usize = length.parse().context("a length that is no number")?;
        let (start, delimiter) = (end + 4, end + 4 + length);
        let next = delimiter + DELIMITER.len();
        if self.buffer.len() < next {
            return Ok(None);
        }
        ensure!(
            &self.buffer[delimiter..next] == DELIMITER,
            "no boundary behind a picture"
        );
        let jpeg = &self.buffer[start..delimiter];
        ensure!(
            jpeg.starts_with(b"\xff\xd8\xff") && jpeg.ends_with(b"\xff\xd9"),
            "a part of {length} bytes is no whole jpeg"
        );
        whole(Part {
            headers,
            jpeg,
            bytes: next,
        })?;
        Ok(Some(next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JPEG: &[u8] = b"\xff\xd8\xff12\xff\xd9";

    fn stream(length: usize, jpeg: &[u8]) -> Vec<u8> {
        let head = format!("Content-Type: image/jpeg\r\nContent-Length: {length}\r\n\r\n");
        let part = [head.as_bytes(), jpeg, DELIMITER].concat();
        [
            &b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n--frame\r\n"[..],
            &part,
            &part,
        ]
        .concat()
    }

    #[test]
    fn parts_are_seen_however_the_stream_is_cut() {
        let stream = stream(JPEG.len(), JPEG);
        for size in [1, 7, stream.len()] {
            let (mut parts, mut seen) = (Parts::default(), 0);
            for piece in stream.chunks(size) {
                let whole = |part: Part<'_>| {
                    assert_eq!((part.jpeg, part.placard()), (JPEG, None));
                    seen += 1;
                    Ok(())
                };
                parts.pass(piece, whole).expect("a stream");
            }
            assert!(parts.is_whole());
            assert_eq!((seen, parts.status()), (2, Some(200)));
        }
    }

    #[test]
    fn what_is_none_says_why() {
        let said = |stream: &[u8]| {
            let outcome = Parts::default().pass(stream, |_| Ok(()));
            outcome.expect_err("no stream").to_string()
        };
        assert!(said(&stream(3, JPEG)).contains("no boundary behind"));
        assert!(said(&stream(5, b"\xff\xd8\xff12")).contains("no whole jpeg"));
        assert!(said(b"HTTP/1.1 200 OK\r\n\r\nrubbish here").contains("no boundary goes first"));
    }
}
