//! What a source is called: `rtsp://camera/stream`, `v4l2:/dev/video0`, `pattern:1280x720@30?mark=7`, `clip.mp4?loop=1`.

use std::path::PathBuf;

use limn_pipeline::Size;

use super::address::Address;
use super::ffmpeg;
use super::shown::{self, shown};

/// A source by name. Its secrets are for nobody's eyes: it is shown without them.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceUrl {
    text: String,
    /// What reads it.
    pub kind: Kind,
}

/// What reads a source.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Moving bars with a counter and a clock.
    Pattern {
        /// Of each picture.
        size: Size,
        /// Pictures a second.
        fps: f64,
        /// A number for a program to read, by which it tells this pattern from others.
        mark: Option<u16>,
    },
    /// A still picture in a file.
    Image(PathBuf),
    /// The NDI source of that name.
    Ndi(String),
    /// Whatever ffmpeg reads: what stands before its `-i`, and what behind.
    Ffmpeg {
        /// Options of the input.
        options: Vec<String>,
        /// The input.
        input: String,
        /// It has an end, after which nothing is wrong.
        ends: bool,
    },
}

/// Why a name means no source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is no source: {reason}")]
pub struct SourceError {
    shown: String,
    reason: String,
}

impl std::fmt::Display for SourceUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&shown(&self.text))
    }
}

impl SourceUrl {
    /// What tells it from others; not to be shown.
    pub(super) fn key(&self) -> String {
        self.text.clone()
    }

    /// Its scheme, and its whole address without what stands before an `@`; a file's is where it really lies.
    pub(super) fn address(&self) -> (String, String) {
        let path = match &self.kind {
            Kind::Image(path) => Some(("image", path.clone())),
            Kind::Ffmpeg { input, .. } if !self.text.contains("://") || is_file(&self.text) => {
                let scheme = self
                    .text
                    .split_once(':')
                    .map_or("file", |(scheme, _)| scheme);
                match scheme {
                    "v4l2" | "avfoundation" | "dshow" | "screen" => None,
                    _ => Some(("file", PathBuf::from(input))),
                }
            }
            _ => None,
        };
        if let Some((scheme, path)) = path {
            let path = path.canonicalize().unwrap_or(path);
            return (scheme.to_owned(), format!("{scheme}:{}", path.display()));
        }
        if let Some(Address {
            scheme, host, tail, ..
        }) = Address::split(&self.text)
        {
            return (scheme.to_owned(), format!("{scheme}://{host}{tail}"));
        }
        let scheme = self.text.split_once(':').map_or("", |(scheme, _)| scheme);
        (scheme.to_owned(), self.text.clone())
    }

    /// An error about it.
    pub(super) fn refused(&self, reason: &str) -> SourceError {
        SourceError {
            shown: self.to_string(),
            reason: reason.to_owned(),
        }
    }

    /// `line` with this source's name, wherever it stands, as it may be shown.
    pub fn redact(&self, line: &str) -> String {
        shown::redact(&self.text, line)
    }
}

impl std::str::FromStr for SourceUrl {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        let refuse = |reason: &str| SourceError {
            shown: shown(text),
            reason: reason.to_owned(),
        };
        // What was looked at is what ffmpeg is given, letter for letter.
        let network = || Address::read(text).map(|_| text).map_err(refuse);
        let kind = match text.split_once(':') {
            Some(("pattern", form)) => pattern(form)
                .ok_or_else(|| refuse("a pattern is `pattern:` or `pattern:1280x720@30`, and `?mark=7`, from 0 to 65535, behind either"))?,
            Some(("image", path)) => {
                Kind::Image(existing(path).ok_or_else(|| refuse("there is no such file"))?)
            }
            Some((format @ ("v4l2" | "avfoundation" | "dshow"), device)) => {
                endless(ffmpeg::device(format), device)
            }
            Some(("screen", display)) => screen(display),
            Some(("rtsp" | "rtsps", rest)) if rest.starts_with("//") => {
                endless(ffmpeg::rtsp(), network()?)
            }
            Some(("http" | "https", rest)) if rest.starts_with("//") => {
                endless(ffmpeg::http(), network()?)
            }
            Some(("ndi", "")) => return Err(refuse("it needs the name of an NDI source")),
            Some(("ndi", name)) => Kind::Ndi(name.to_owned()),
            Some((scheme, rest)) if rest.starts_with("//") && scheme != "file" => {
                return Err(refuse(
                    "there are rtsp, http, https, file, v4l2, avfoundation, dshow, screen, ndi, image and pattern",
                ));
            }
            _ => file(
                text.strip_prefix("file://")
                    .or(text.strip_prefix("file:"))
                    .unwrap_or(text),
            )
            .ok_or_else(|| refuse("there is no such file"))?,
        };
        Ok(Self {
            text: text.to_owned(),
            kind,
        })
    }
}

fn is_file(text: &str) -> bool {
    text.starts_with("file:")
}

fn endless(options: Vec<String>, input: &str) -> Kind {
    Kind::Ffmpeg {
        options,
        input: input.to_owned(),
        ends: false,
    }
}

fn screen(display: &str) -> Kind {
    if cfg!(target_os = "macos") {
        return endless(ffmpeg::device("avfoundation"), "Capture screen 0");
    }
    if cfg!(windows) {
        return endless(ffmpeg::device("gdigrab"), "desktop");
    }
    let first = std::env::var("DISPLAY").unwrap_or_else(|_| ":0".to_owned());
    endless(
        ffmpeg::device("x11grab"),
        if display.is_empty() { &first } else { display },
    )
}

fn existing(path: &str) -> Option<PathBuf> {
    let path = PathBuf::from(path);
    path.is_file().then_some(path)
}

/// A file plays once, or for ever behind `?loop=1`.
fn file(text: &str) -> Option<Kind> {
    let (path, again) = match text.strip_suffix("?loop=1") {
        Some(path) => (path, true),
        None => (text, false),
    };
    let input = existing(path)?.to_str()?.to_owned();
    Some(Kind::Ffmpeg {
        options: ffmpeg::file(again),
        input,
        ends: !again,
    })
}

fn pattern(form: &str) -> Option<Kind> {
    let (form, mark) = match form.split_once('?') {
        Some((form, more)) => (form, Some(more.strip_prefix("mark=")?.parse().ok()?)),
        None => (form, None),
    };
    let (size, fps) = match form.split_once('@') {
        Some((size, fps)) => (size, fps.parse().ok()?),
        None => (form, 30.0),
    };
    let size = match size {
        "" => Size::new(1280, 720),
        size => size.parse().ok()?,
    };
    let fits = size.width.max(size.height) <= 4096 && size.width.min(size.height) >= 64;
    (fits && (1.0..=240.0).contains(&fps)).then_some(Kind::Pattern { size, fps, mark })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_what_is_none_says_why() {
        let kind = |text: &str| text.parse::<SourceUrl>().unwrap().kind;
        assert_eq!(
            kind("pattern:"),
            Kind::Pattern {
                size: Size::new(1280, 720),
                fps: 30.0,
                mark: None
            }
        );
        assert_eq!(
            kind("pattern:640x360@25"),
            Kind::Pattern {
                size: Size::new(640, 360),
                fps: 25.0,
                mark: None
            }
        );
        let Kind::Pattern { size, mark, .. } = kind("pattern:320x240@10?mark=65535") else {
            panic!()
        };
        assert_eq!((size, mark), (Size::new(320, 240), Some(65535)));
        let Kind::Pattern { mark, .. } = kind("pattern:?mark=0") else {
            panic!()
        };
        assert_eq!(mark, Some(0));
        let Kind::Ffmpeg { input, ends, .. } = kind("v4l2:/dev/video0") else {
            panic!()
        };
        assert_eq!((input.as_str(), ends), ("/dev/video0", false));
        let here = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        for (text, once) in [(here.to_owned(), true), (format!("{here}?loop=1"), false)] {
            let Kind::Ffmpeg { input, ends, .. } = kind(&text) else {
                panic!()
            };
            assert_eq!((input.as_str(), ends), (here, once));
        }
        assert!(matches!(kind(&format!("image:{here}")), Kind::Image(_)));
        assert_eq!(kind("ndi:STAGE (Left)"), Kind::Ndi("STAGE (Left)".into()));
        for (text, said) in [
            ("pattern:9x9", "a pattern is"),
            ("pattern:?mark=65536", "from 0 to 65535"),
            ("pattern:320x240@10?mark=", "from 0 to 65535"),
            ("pattern:320x240@10?loop=1", "from 0 to 65535"),
            ("image:nowhere.png", "no such file"),
            ("nowhere.mp4", "no such file"),
            ("gopher://old", "there are rtsp, http"),
            ("ndi:", "the name of an NDI source"),
        ] {
            let error = text.parse::<SourceUrl>().unwrap_err().to_string();
            assert!(error.contains(text) && error.contains(said), "{error}");
        }
    }

    #[test]
    fn no_secret_is_shown() {
        let url: SourceUrl = "rtsp://me:p@ss@10.0.0.2:554/live".parse().unwrap();
        assert_eq!(url.to_string(), "rtsp://10.0.0.2:554/…");
        for text in [
            "gopher://me:secret@old",
            "rtsp://me:sec/ret@cam/live?secret",
        ] {
            let error = text.parse::<SourceUrl>().unwrap_err().to_string();
            assert!(!error.contains("sec") && !error.contains("ret"), "{error}");
        }
    }
}
