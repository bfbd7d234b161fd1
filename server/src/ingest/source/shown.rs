//! What may be seen of a source's name. Cameras take their passwords before the host, in the path and in the query: of an
//! address in the network the host is shown, and nothing behind it.

use super::address::Address;

/// These read what is on this machine, or what NDI tells everybody anyway: nothing in their names is a secret.
const WITHOUT_SECRETS: [&str; 8] = [
    "pattern",
    "image",
    "file",
    "v4l2",
    "avfoundation",
    "dshow",
    "screen",
    "ndi",
];

/// `text` as it may be shown.
pub(super) fn shown(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once(':') else {
        return text.to_owned();
    };
    // Whoever forgot a slash has written the password all the same.
    let is_address = rest.starts_with("//") || ["rtsp", "rtsps", "http", "https"].contains(&scheme);
    if WITHOUT_SECRETS.contains(&scheme) || !is_address {
        return text.to_owned();
    }
    let rest = rest.trim_start_matches('/');
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    // Either password may have been written with one of these: nobody knows which part is the host.
    if tail.contains('@') {
        return format!("{scheme}://…");
    }
    let host = authority.rsplit('@').next().unwrap_or_default();
    let more = if tail.len() > 1 { "/…" } else { "" };
    format!("{scheme}://{host}{more}")
}

/// `line`, which a reader of the source `text` said, without what `shown` hides.
pub(super) fn redact(text: &str, line: &str) -> String {
    let seen = shown(text);
    if seen == text {
        return line.to_owned();
    }
    let line = line.replace(text, &seen);
    let Some(Address { secret, tail, .. }) = Address::split(text) else {
        return line;
    };
    let line = match secret {
        None | Some("") => line,
        Some(secret) => line.replace(secret, "***"),
    };
    if tail.len() > 1 {
        line.replace(tail, "/…")
    } else {
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_the_host_is_shown_and_of_what_is_here_all() {
        for (text, seen) in [
            ("rtsp://cam", "rtsp://cam"),
            ("rtsp://cam:554/", "rtsp://cam:554"),
            ("rtsp://me:p@ss@cam:554/live", "rtsp://cam:554/…"),
            ("http://cam/snap?user=admin&pwd=x", "http://cam/…"),
            ("http://cam?user=admin&pwd=x", "http://cam/…"),
            ("rtsp://cam/user=admin_password=x_", "rtsp://cam/…"),
            ("rtsps://10.0.0.1:7441/AbCdEfGh", "rtsps://10.0.0.1:7441/…"),
            ("rtsp://me:pa/ss@cam/live", "rtsp://…"),
            ("http://me:p@a/ss@cam/live", "http://…"),
            ("http://cam/snap?pwd=p@ss", "http://…"),
            ("gopher://me:secret@old/x", "gopher://old/…"),
            ("rtsp:/me:secret@cam/live", "rtsp://cam/…"),
            ("rtsp:me:secret@cam/live", "rtsp://cam/…"),
        ] {
            assert_eq!(shown(text), seen, "{text}");
        }
        for text in [
            "pattern:320x240@10?mark=7",
            "image:/home/me@home/photo.jpg",
            "/home/me@home/clip.mp4?loop=1",
            "file:///media/clip.mp4",
            "C:\\clips\\one.mp4",
            "v4l2:/dev/video0",
            "screen::0",
            "ndi:STAGE (Left)",
        ] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn what_a_reader_says_is_cleared_of_every_part() {
        let url = "rtsp://me:p@ss@10.0.0.2:554/live?pwd=x";
        let line = "rtsp://me:p@ss@10.0.0.2:554/live?pwd=x: 401 for /live?pwd=x, tried me:p@ss";
        let clean = "rtsp://10.0.0.2:554/…: 401 for /…, tried ***";
        assert_eq!(redact(url, line), clean);
        assert_eq!(redact("rtsp://cam/", "a / stays"), "a / stays");
        let line = "/media/clip.mp4: no such codec";
        assert_eq!(redact("file:///media/clip.mp4", line), line);
    }
}
