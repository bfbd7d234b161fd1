//! Multipart streams of pictures (`multipart/x-mixed-replace`), read as their bytes come. There is no socket inside.
//!
//! Cameras write them in many ways: with a `Content-Length` and without, with bare line feeds, with lengths that lie. A
//! part is handed on as early as it is known to be whole, and nothing is looked at twice.

mod boundary;

use bytes::{Bytes, BytesMut};

use boundary::{Boundary, Sight};

pub use boundary::ContentTypeError;

/// The end of a JPEG: with it, a picture as long as its `Content-Length` is whole before its boundary comes, which
/// cameras that send the boundary with the next picture hold back for a frame.
const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];

/// How much one part may have.
#[derive(Clone, Copy, Debug)]
pub struct Caps {
    /// Bytes of a picture.
    pub part: usize,
    /// Bytes of the headers before it.
    pub headers: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            part: 16 << 20,
            headers: 8 << 10,
        }
    }
}

/// Why a stream is read no further. Parts count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MultipartError {
    /// Headers without an end.
    #[error("the headers of part {part} go on beyond the limit of {limit} bytes")]
    Headers {
        /// Which.
        part: u64,
        /// [`Caps::headers`].
        limit: usize,
    },
    /// It says itself that it is too long.
    #[error("part {part} of {got} bytes is over the limit of {limit} bytes")]
    Length {
        /// Which.
        part: u64,
        /// Its `Content-Length`.
        got: usize,
        /// [`Caps::part`].
        limit: usize,
    },
    /// No boundary comes.
    #[error("part {part} goes on beyond the limit of {limit} bytes")]
    Endless {
        /// Which.
        part: u64,
        /// [`Caps::part`].
        limit: usize,
    },
}

/// One picture and what was said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The lines before the picture.
    head: Bytes,
    /// The picture; never empty.
    pub bytes: Bytes,
}

impl Part {
    /// The value of its header `name`, if it is there and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }
}

/// Reads a stream: [`push`](Self::push) what came, then take parts until there is none.
#[derive(Debug)]
pub struct Reader {
    boundary: Boundary,
    caps: Caps,
    buffer: BytesMut,
    state: State,
    /// How many parts have begun.
    parts: u64,
    /// A length was wrong, so none is believed any more: each would cost the delay of what it is too long by.
    lengths_lie: bool,
}

#[derive(Clone, Debug)]
enum State {
    /// Before a boundary; `begins` where the buffer begins a line.
    Between { begins: bool },
    /// In the headers, which begin the buffer: the line that begins at `line` has no end before `searched`.
    Headers { line: usize, searched: usize },
    /// In a picture, which begins the buffer.
    Picture {
        head: Bytes,
        length: Option<usize>,
        searched: usize,
    },
    /// Behind the closing boundary or an error.
    Finished,
}

enum Step {
    Again(State),
    Wait(State),
    Picture(Part, State),
    Fail(MultipartError),
}

impl Reader {
    /// A reader of a stream of this `Content-Type`.
    ///
    /// # Errors
    /// If that is no multipart stream, or has no boundary.
    pub fn new(content_type: &str) -> Result<Self, ContentTypeError> {
        Self::with_caps(content_type, Caps::default())
    }

    /// The same with limits of the caller's.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_caps(content_type: &str, caps: Caps) -> Result<Self, ContentTypeError> {
        Ok(Self {
            boundary: Boundary::from_content_type(content_type)?,
            caps,
            buffer: BytesMut::new(),
            state: State::Between { begins: true },
            parts: 0,
            lengths_lie: false,
        })
    }

    /// Takes what has come of the stream; a finished reader takes nothing.
    pub fn push(&mut self, bytes: &[u8]) {
        if !self.is_finished() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next whole part; `None` until more has come, and for good once the stream has closed or failed.
    pub fn next_part(&mut self) -> Option<Result<Part, MultipartError>> {
        loop {
            let step = match std::mem::replace(&mut self.state, State::Finished) {
                State::Between { begins } => self.between(begins),
                State::Headers { line, searched } => self.headers(line, searched),
                State::Picture {
                    head,
                    length: Some(length),
                    ..
                } => self.measured(head, length),
                State::Picture { head, searched, .. } => self.unmeasured(head, searched),
                State::Finished => return None,
            };
            match step {
                Step::Again(state) => self.enter(state),
                Step::Wait(state) => {
                    self.enter(state);
                    return None;
                }
                Step::Picture(part, state) => {
                    self.enter(state);
                    // An empty part blanks some readers' pictures; it says nothing.
                    if !part.bytes.is_empty() {
                        return Some(Ok(part));
                    }
                }
                Step::Fail(error) => {
                    self.enter(State::Finished);
                    return Some(Err(error));
                }
            }
        }
    }

    /// Whether the stream has closed or failed.
    pub fn is_finished(&self) -> bool {
        matches!(self.state, State::Finished)
    }

    /// How many bytes it holds that belong to no part yet.
    pub fn held(&self) -> usize {
        self.buffer.len()
    }

    fn enter(&mut self, state: State) {
        if matches!(state, State::Finished) {
            self.buffer = BytesMut::new();
        }
        self.state = state;
    }

    fn between(&mut self, mut begins: bool) -> Step {
        let (sight, searched) = self.boundary.find(&self.buffer, 0, begins);
        if let Sight::Here { end, last, .. } = sight {
            let _ = self.buffer.split_to(end);
            return Step::Again(self.behind_boundary(last));
        }
        // What goes before the first boundary, or between a picture and its boundary, is nobody's.
        let nobodys = searched.saturating_sub(self.boundary.reach());
        if nobodys > 0 {
            begins = self.buffer.split_to(nobodys).ends_with(b"\n");
        }
        Step::Wait(State::Between { begins })
    }

    fn behind_boundary(&mut self, last: bool) -> State {
        if last {
            return State::Finished;
        }
        self.parts += 1;
        State::Headers {
            line: 0,
            searched: 0,
        }
    }

    fn headers(&mut self, line: usize, searched: usize) -> Step {
        let limit = self.caps.headers;
        let seen = &self.buffer[..self.buffer.len().min(limit)];
        let Some(found) = memchr::memchr(b'\n', &seen[searched..]) else {
            if seen.len() == limit {
                let part = self.parts;
                return Step::Fail(MultipartError::Headers { part, limit });
            }
            let searched = seen.len();
            return Step::Wait(State::Headers { line, searched });
        };
        let end = searched + found + 1;
        match &self.buffer[line..end] {
            b"\n" | b"\r\n" => {
                let head = self.buffer.split_to(end).freeze();
                self.picture(head)
            }
            text => {
                // Headers that were cut short by the next part's boundary.
                if let Sight::Here { last, .. } = self.boundary.find(text, 0, true).0 {
                    let _ = self.buffer.split_to(end);
                    return Step::Again(self.behind_boundary(last));
                }
                let (line, searched) = (end, end);
                Step::Again(State::Headers { line, searched })
            }
        }
    }

    fn picture(&self, head: Bytes) -> Step {
        let said = header(&head, "content-length").and_then(|text| text.parse().ok());
        let length = said.filter(|_| !self.lengths_lie);
        let (part, limit) = (self.parts, self.caps.part);
        match length {
            Some(got) if got > limit => Step::Fail(MultipartError::Length { part, got, limit }),
            length => Step::Again(State::Picture {
                head,
                length,
                searched: 0,
            }),
        }
    }

    /// A picture of a known length: whole at its end, or where its boundary shows that the length was right.
    fn measured(&mut self, head: Bytes, length: usize) -> Step {
        let wait = |head| State::Picture {
            head,
            length: Some(length),
            searched: 0,
        };
        let Some((picture, rest)) = self.buffer.split_at_checked(length) else {
            return Step::Wait(wait(head));
        };
        if picture.ends_with(&END_OF_IMAGE) {
            let bytes = self.buffer.split_to(length).freeze();
            return Step::Picture(Part { head, bytes }, State::Between { begins: true });
        }
        match self.boundary.opens(rest) {
            Sight::Here { end, last, .. } => {
                let bytes = self.buffer.split_to(length).freeze();
                let _ = self.buffer.split_to(end);
                Step::Picture(Part { head, bytes }, self.behind_boundary(last))
            }
            Sight::Undecided => Step::Wait(wait(head)),
            Sight::Absent => {
                self.lengths_lie = true;
                Step::Again(State::Picture {
                    head,
                    length: None,
                    searched: 0,
                })
            }
        }
    }

    /// A picture up to the next boundary.
    fn unmeasured(&mut self, head: Bytes, searched: usize) -> Step {
        let (sight, searched) = self.boundary.find(&self.buffer, searched, true);
        let (part, limit) = (self.parts, self.caps.part);
        if let Sight::Here { start, end, last } = sight {
            let line_end = match &self.buffer[..start] {
                [.., b'\r', b'\n'] => 2,
                [.., b'\n'] => 1,
                _ => 0,
            };
            let length = start - line_end;
            if length > limit {
                return Step::Fail(MultipartError::Endless { part, limit });
            }
            let bytes = self.buffer.split_to(length).freeze();
            let _ = self.buffer.split_to(end - length);
            return Step::Picture(Part { head, bytes }, self.behind_boundary(last));
        }
        // A boundary that is still to come would end a picture of more than the limit.
        if searched > limit + self.boundary.reach() {
            return Step::Fail(MultipartError::Endless { part, limit });
        }
        Step::Wait(State::Picture {
            head,
            length: None,
            searched,
        })
    }
}

/// The first header of that name among the lines of `head`.
fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let (key, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

#[cfg(test)]
mod tests;
