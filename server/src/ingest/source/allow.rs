//! What may be named as a source from outside: a source is a door into the network and the files behind the server.

use std::str::FromStr;

use super::url::{SourceError, SourceUrl};

/// One entry of `--source-allow`: a scheme (`rtsp`), or the beginning of an address (`rtsp://10.0.0.5`, `file:/media`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed(String);

impl FromStr for Allowed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.contains(['@', ' ']) {
            return Err(format!(
                "`{text}` is no scheme like `rtsp` and no address like `rtsp://10.0.0.5`"
            ));
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

impl Allowed {
    fn covers(&self, scheme: &str, address: &str) -> bool {
        if !self.0.contains(':') {
            return self.0 == scheme;
        }
        address
            .strip_prefix(&self.0)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':', '?']))
    }
}

/// Where no list is given: what neither reads the server's files nor looks at what stands before it.
const WITHOUT_A_LIST: [&str; 6] = ["pattern", "ndi", "rtsp", "rtsps", "http", "https"];

/// Whether `url` may be named from outside. `local`: only people at this machine name one.
///
/// # Errors
/// If it may not.
pub fn check(url: &SourceUrl, list: &[Allowed], local: bool) -> Result<(), SourceError> {
    let (scheme, address) = url.address();
    let allowed = if list.is_empty() {
        local || WITHOUT_A_LIST.contains(&scheme.as_str())
    } else {
        list.iter().any(|entry| entry.covers(&scheme, &address))
    };
    if allowed {
        return Ok(());
    }
    Err(url.refused("it is not on the list of `--source-allow`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(list: &[&str], url: &str) -> bool {
        let list: Vec<Allowed> = list.iter().map(|entry| entry.parse().unwrap()).collect();
        check(&url.parse().unwrap(), &list, false).is_ok()
    }

    #[test]
    fn what_is_listed_is_allowed_and_nothing_that_only_looks_like_it() {
        let list = ["pattern", "rtsp://10.0.0.5", "http://cam.example:8080/live"];
        for url in [
            "pattern:320x240@10",
            "rtsp://10.0.0.5/stream",
            "rtsp://me:secret@10.0.0.5:554/stream",
            "http://cam.example:8080/live/one",
        ] {
            assert!(allows(&list, url), "{url}");
        }
        for url in [
            "rtsp://10.0.0.50/stream",
            "rtsp://10.0.0.5.evil.example/",
            "rtsp://10.0.0.5@evil.example/",
            "https://cam.example:8080/live",
            "http://cam.example:8080/livelier",
            concat!("file:", env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ] {
            assert!(!allows(&list, url), "{url}");
        }
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let folder = concat!("file:", env!("CARGO_MANIFEST_DIR"));
        assert!(allows(&[folder], file));
        assert!(!allows(&[], file) && !allows(&[], "v4l2:/dev/video0"));
        assert!(allows(&[], "rtsp://10.0.0.5/stream"));
        assert!(check(&file.parse().unwrap(), &[], true).is_ok());
    }

    #[test]
    fn what_ffmpeg_would_ask_is_what_is_looked_up() {
        for url in [
            "http://169.254.169.254?@cam.example/latest",
            "http://169.254.169.254#@cam.example/latest",
            "http://169.254.169.254/@cam.example/latest",
            "http://me@169.254.169.254?@cam.example",
            "http://cam.example@169.254.169.254/latest",
            "http://cam.example:80@169.254.169.254/latest",
        ] {
            assert!(!allows(&["http://cam.example"], url), "{url}");
        }
        // Behind the backslash FFmpeg goes on to another host.
        let url = "http://cam.example:80\\@169.254.169.254/latest";
        assert!(url.parse::<SourceUrl>().is_err());
        for url in [
            "http://cam.example",
            "http://me:p@ss@cam.example/latest",
            "http://cam.example:8080?user=me@home",
        ] {
            assert!(allows(&["http://cam.example"], url), "{url}");
        }
    }

    #[test]
    fn a_way_up_is_no_way_in() {
        let up = concat!("file:", env!("CARGO_MANIFEST_DIR"), "/src");
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/../Cargo.toml");
        assert!(!allows(&[up], file));
    }
}
