//! An address in the network, split where FFmpeg splits it (`av_url_split`, libavformat/utils.c): the host that is checked
//! must be the host that is asked.

/// `scheme://secret@host:port/tail`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address<'a> {
    /// As `rtsp`.
    pub scheme: &'a str,
    /// What stands before the last `@` of the authority.
    pub secret: Option<&'a str>,
    /// Name or number, and the port behind a colon if there is one.
    pub host: &'a str,
    /// The path and the query, from their first `/`, `?` or `#` on.
    pub tail: &'a str,
}

impl<'a> Address<'a> {
    /// `None` without a `://` behind the scheme; nothing else is checked.
    pub fn split(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':')?;
        let rest = rest.strip_prefix("//")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let (secret, host) = match authority.rsplit_once('@') {
            Some((secret, host)) => (Some(secret), host),
            None => (None, authority),
        };
        Some(Self {
            scheme,
            secret,
            host,
            tail,
        })
    }

    /// An address that every reader takes for the same.
    ///
    /// # Errors
    /// A sentence, if one reader could find another host in it than another.
    pub fn read(text: &'a str) -> Result<Self, &'static str> {
        if text.contains(|letter: char| letter.is_control() || letter.is_whitespace()) {
            return Err("an address has neither blanks nor control characters");
        }
        let address = Self::split(text).ok_or("an address begins like `rtsp://`")?;
        // FFmpeg goes on behind a backslash; browsers end the host there.
        if address.host.contains('\\') || address.secret.is_some_and(|secret| secret.contains('\\'))
        {
            return Err("before the path of an address a `\\` is written `%5C`");
        }
        let (name, port) = address.name_and_port();
        if name.is_empty() {
            return Err("it names no host");
        }
        if port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return Err(
                "its port is no number from 0 to 65535; in a password `/`, `?` and `#` are written `%2F`, `%3F` and `%23`",
            );
        }
        Ok(address)
    }

    fn name_and_port(&self) -> (&'a str, Option<&'a str>) {
        let name_end = match self.host.find(']') {
            Some(bracket) if self.host.starts_with('[') => bracket + 1,
            _ => self.host.find(':').unwrap_or(self.host.len()),
        };
        let (name, rest) = self.host.split_at(name_end);
        let port = (!rest.is_empty()).then(|| rest.strip_prefix(':').unwrap_or(rest));
        (name, port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_split_where_ffmpeg_splits_it() {
        for (text, secret, host, tail) in [
            ("rtsp://cam", None, "cam", ""),
            ("rtsp://cam:554/live", None, "cam:554", "/live"),
            ("rtsp://me:p@ss@cam/live", Some("me:p@ss"), "cam", "/live"),
            ("rtsp://@cam/live", Some(""), "cam", "/live"),
            ("http://one?@two/x", None, "one", "?@two/x"),
            ("http://one#@two/x", None, "one", "#@two/x"),
            ("http://one/@two", None, "one", "/@two"),
            ("http://me@one?@two", Some("me"), "one", "?@two"),
            ("http://[::1]:80/x", None, "[::1]:80", "/x"),
        ] {
            let address = Address::read(text).unwrap();
            let parts = (address.secret, address.host, address.tail);
            assert_eq!(parts, (secret, host, tail), "{text}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for (text, said) in [
            ("http://one\\@two/x", "`\\`"),
            ("http://one:80\\@two/x", "`\\`"),
            ("http://me@one\\two", "`\\`"),
            ("http://one two/x", "neither blanks"),
            ("http://one/a b", "neither blanks"),
            ("http://one/\r\nHost: two", "neither blanks"),
            ("http://one\0.two/x", "neither blanks"),
            ("http://one\u{a0}two", "neither blanks"),
            ("http:///x", "no host"),
            ("http://:80/x", "no host"),
            ("http://me@/x", "no host"),
            ("rtsp://me:pa/ss@cam/live", "no number"),
            ("rtsp://cam:65536/", "no number"),
            ("rtsp://cam:80:81/", "no number"),
            ("rtsp://cam:/", "no number"),
            ("rtsp://[::1]two/", "no number"),
        ] {
            let why = Address::read(text).unwrap_err();
            assert!(why.contains(said), "{text:?}: {why}");
        }
    }
}
