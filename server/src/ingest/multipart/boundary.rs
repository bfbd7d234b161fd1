//! What stands between two parts, and where.

use memchr::memmem::Finder;

/// RFC 2046, section 5.1.1.
const LONGEST_NAME: usize = 70;

/// RFC 2046 allows blanks behind a boundary; a line with more of them is none.
const MOST_BLANKS: usize = 16;

/// Why a `Content-Type` names no boundary.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentTypeError {
    /// Another type.
    #[error("`{0}` is not `multipart/x-mixed-replace`")]
    NotMultipart(String),
    /// The type without its name.
    #[error("there is no boundary in `{0}`")]
    NoBoundary(String),
    /// A name that no mail standard allows.
    #[error("the boundary in `{content_type}` has {got} bytes, more than {LONGEST_NAME}")]
    TooLong {
        /// All that was said.
        content_type: String,
        /// The name's length.
        got: usize,
    },
}

/// A boundary's name, ready to be looked for.
#[derive(Clone, Debug)]
pub struct Boundary {
    /// Two dashes and the name, without dashes that the name itself begins with.
    needle: Finder<'static>,
    /// How many dashes the name begins with. Some cameras mean them by the two that go before each boundary, and some
    /// send two more: both are taken.
    dashes: usize,
}

/// What is seen at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// No boundary.
    Absent,
    /// It may become one with the next bytes.
    Undecided,
    /// A boundary.
    Here {
        /// Where its line begins.
        start: usize,
        /// Where its line ends.
        end: usize,
        /// It closes the stream.
        last: bool,
    },
}

impl Boundary {
    /// Reads a `Content-Type`: `multipart/x-mixed-replace; boundary=NAME`, the name quoted or not.
    ///
    /// # Errors
    /// If it is another type or has no boundary.
    pub fn from_content_type(content_type: &str) -> Result<Self, ContentTypeError> {
        let whole = || content_type.to_owned();
        let (kind, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
        if !kind
            .trim()
            .eq_ignore_ascii_case("multipart/x-mixed-replace")
        {
            return Err(ContentTypeError::NotMultipart(whole()));
        }
        let named = parameter(parameters, "boundary").unwrap_or_default();
        let name = named.trim_start_matches('-');
        if name.is_empty() {
            return Err(ContentTypeError::NoBoundary(whole()));
        }
        if named.len() > LONGEST_NAME {
            return Err(ContentTypeError::TooLong {
                content_type: whole(),
                got: named.len(),
            });
        }
        Ok(Self {
            needle: Finder::new(&format!("--{name}")).into_owned(),
            dashes: named.len() - name.len(),
        })
    }

    /// The first boundary in `bytes` that begins a line, its needle at `from` or behind; `begins` says whether `bytes`
    /// begin one. Also where the next search goes on: nothing before that has to be looked at again.
    pub fn find(&self, bytes: &[u8], mut from: usize, begins: bool) -> (Sight, usize) {
        while let Some(found) = self.needle.find(&bytes[from..]) {
            match self.at(bytes, from + found, begins) {
                Sight::Absent => from += found + 1,
                sight => return (sight, from + found),
            }
        }
        let tail = (bytes.len() + 1).saturating_sub(self.needle.needle().len());
        (Sight::Absent, from.max(tail))
    }

    /// Whether `bytes` go on with a boundary, after a line end or at once.
    pub fn opens(&self, bytes: &[u8]) -> Sight {
        let line = match bytes {
            [b'\r', b'\n', ..] => 2,
            [b'\n', ..] => 1,
            [] | [b'\r'] => return Sight::Undecided,
            _ => 0,
        };
        let most = self.dashes + 2;
        let rest = &bytes[line..];
        let dashes = rest
            .iter()
            .take(most + 1)
            .take_while(|byte| **byte == b'-')
            .count();
        if dashes == rest.len() && dashes <= most {
            return Sight::Undecided;
        }
        let Some(hit) = dashes.checked_sub(2).map(|extra| line + extra) else {
            return Sight::Absent;
        };
        let needle = self.needle.needle();
        match &bytes[hit..] {
            rest if rest.starts_with(needle) => self.at(bytes, hit, true),
            rest if needle.starts_with(rest) => Sight::Undecided,
            _ => Sight::Absent,
        }
    }

    /// How many bytes before a search's place may belong to its boundary's line, with the line end before it.
    pub fn reach(&self) -> usize {
        self.dashes + 2
    }

    /// Whether the needle at `hit` is a boundary's.
    fn at(&self, bytes: &[u8], hit: usize, begins: bool) -> Sight {
        let before = bytes[..hit].iter().rev().take(self.dashes + 1);
        let extra = before.take_while(|byte| **byte == b'-').count();
        let start = hit - extra;
        let line_begins = match start.checked_sub(1) {
            Some(before) => bytes[before] == b'\n',
            None => begins,
        };
        if !line_begins || !(extra == self.dashes || extra + 2 == self.dashes) {
            return Sight::Absent;
        }
        let name_end = hit + self.needle.needle().len();
        let here = |end, last| Sight::Here { start, end, last };
        match &bytes[name_end..] {
            [b'-', b'-', ..] => return here(name_end + 2, true),
            [] | [b'-'] => return Sight::Undecided,
            _ => {}
        }
        let blanks = bytes[name_end..]
            .iter()
            .take(MOST_BLANKS)
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        let end = name_end + blanks;
        match &bytes[end..] {
            [b'\n', ..] => here(end + 1, false),
            [b'\r', b'\n', ..] => here(end + 2, false),
            [] | [b'\r'] => Sight::Undecided,
            _ => Sight::Absent,
        }
    }
}

/// The value of a parameter of a `Content-Type`, without its quotes.
fn parameter<'a>(mut parameters: &'a str, wanted: &str) -> Option<&'a str> {
    loop {
        let (name, rest) = parameters.split_once('=')?;
        let rest = rest.trim_start();
        let (value, rest) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let (value, rest) = quoted.split_once('"')?;
                (value, rest.split_once(';').map_or("", |(_, rest)| rest))
            }
            None => {
                let (value, rest) = rest.split_once(';').unwrap_or((rest, ""));
                (value.trim_end(), rest)
            }
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        parameters = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boundary(parameter: &str) -> Boundary {
        Boundary::from_content_type(&format!("multipart/x-mixed-replace;{parameter}")).unwrap()
    }

    fn refusal(content_type: &str) -> String {
        Boundary::from_content_type(content_type)
            .unwrap_err()
            .to_string()
    }

    /// Where the boundary that `bytes` contain begins.
    fn start(boundary: &Boundary, bytes: &[u8]) -> Option<usize> {
        match boundary.find(bytes, 0, true).0 {
            Sight::Here { start, .. } => Some(start),
            _ => None,
        }
    }

    #[test]
    fn cameras_name_it_in_many_ways() {
        for parameter in [
            "boundary=frame",
            " boundary=\"frame\"",
            " charset=\"a;b\"; Boundary = frame ; x=y",
        ] {
            assert_eq!(start(&boundary(parameter), b"--frame\r\n"), Some(0));
        }
        for stream in [&b"--frame\n"[..], b"----frame\n"] {
            assert_eq!(start(&boundary("boundary=--frame"), stream), Some(0));
        }
        assert_eq!(start(&boundary("boundary=frame"), b"----frame\n"), None);
        assert_eq!(start(&boundary("boundary=-frame"), b"---frame\n"), Some(0));
        assert_eq!(start(&boundary("boundary=-frame"), b"--frame\n"), None);
    }

    #[test]
    fn what_names_none_is_refused_with_what_it_said() {
        assert_eq!(
            refusal("image/jpeg"),
            "`image/jpeg` is not `multipart/x-mixed-replace`"
        );
        for nameless in [
            "",
            ";",
            "; boundary=",
            "; boundary=--",
            "; boundary=\"frame",
        ] {
            let content_type = format!("multipart/x-mixed-replace{nameless}");
            assert_eq!(
                refusal(&content_type),
                format!("there is no boundary in `{content_type}`")
            );
        }
        let long = format!("multipart/x-mixed-replace; boundary={}", "x".repeat(71));
        assert!(refusal(&long).ends_with("has 71 bytes, more than 70"));
    }

    #[test]
    fn it_fills_a_line_of_its_own() {
        let boundary = boundary("boundary=frame");
        for stream in [
            &b"x--frame\r\n"[..],
            b"--frames\r\n",
            b"--frame\rx",
            b"-frame\n",
        ] {
            assert_eq!(start(&boundary, stream), None);
        }
        assert_eq!(start(&boundary, b"x\n--frame \t\r\n"), Some(2));
        assert_eq!(
            boundary.find(b"--frame--", 0, true).0,
            Sight::Here {
                start: 0,
                end: 9,
                last: true
            }
        );
    }

    #[test]
    fn an_unfinished_one_is_undecided_wherever_it_is_cut() {
        for (parameter, whole) in [
            ("boundary=frame", &b"\r\n--frame \r\n"[..]),
            ("boundary=--frame", b"\n----frame--"),
            ("boundary=--frame", b"--frame\n"),
        ] {
            let boundary = boundary(parameter);
            for cut in 0..whole.len() {
                assert_eq!(boundary.opens(&whole[..cut]), Sight::Undecided, "{cut}");
            }
            assert!(matches!(boundary.opens(whole), Sight::Here { .. }));
        }
    }
}
