//! What stands before ffmpeg's `-i`: how each kind of source is read, and that it can send ffmpeg nowhere else.
//!
//! A playlist names further addresses, and whoever answers for a camera chooses what it answers. So it is said what may come:
//! containers with the pictures inside, and neither hls, dash, concat nor sdp. A device is opened by the one reader that it has.

/// What cameras and servers send over http: motion JPEG, MPEG transport streams, MP4, Matroska, Flash, AVI, bare H.264 and
/// HEVC, single pictures; as `ffmpeg -demuxers` calls them, `image2` for the name `.jpg`.
const STREAMS: &str = "mpjpeg,mjpeg,mpegts,mov,matroska,flv,live_flv,avi,h264,hevc,image2,jpeg_pipe,png_pipe,webp_pipe,bmp_pipe";

/// What people have in files beside those.
const FILES: &str =
    "mpeg,mpegvideo,m4v,ogg,asf,gif,apng,mxf,dv,ivf,obu,nut,yuv4mpegpipe,rm,dhav,tiff_pipe";

/// No word from the other side for so long, in microseconds, and the child gives up.
const SILENCE: &str = "5000000";

/// What ffmpeg reads to find out what it reads is old by then, and left out. Of a clip that may be all there is, and of an address
/// for one picture it is.
const LIVE: [&str; 2] = ["-fflags", "nobuffer"];

/// Of a camera by RTSP.
pub(super) fn rtsp() -> Vec<String> {
    owned(&[
        LIVE[0],
        LIVE[1],
        "-protocol_whitelist",
        "rtsp,rtp,udp,tcp,tls",
        "-format_whitelist",
        "rtsp",
        "-rtsp_transport",
        "tcp",
        "-timeout",
        SILENCE,
    ])
}

/// Of a stream by HTTP. A redirect could lead to what nobody named: the machine itself, or the cloud's own addresses.
pub(super) fn http() -> Vec<String> {
    owned(&[
        "-protocol_whitelist",
        "http,https,tcp,tls",
        "-format_whitelist",
        STREAMS,
        "-max_redirects",
        "0",
        "-rw_timeout",
        SILENCE,
    ])
}

/// Of a file, which plays at its own rate, once, or `again` and again.
pub(super) fn file(again: bool) -> Vec<String> {
    let formats = format!("{STREAMS},{FILES}");
    let mut options = owned(&[
        "-protocol_whitelist",
        "file",
        "-format_whitelist",
        &formats,
        "-re",
    ]);
    if again {
        options.extend(owned(&["-stream_loop", "-1"]));
    }
    options
}

/// Of what is read by the device `format`.
pub(super) fn device(format: &str) -> Vec<String> {
    owned(&[LIVE[0], LIVE[1], "-f", format])
}

fn owned(options: &[&str]) -> Vec<String> {
    options.iter().map(|option| (*option).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::url::{Kind, SourceUrl};

    fn options(url: &str) -> String {
        match url.parse::<SourceUrl>().unwrap().kind {
            Kind::Ffmpeg { options, .. } => options.join(" "),
            other => panic!("{other:?}"),
        }
    }

    /// A list that grew is looked at here: what it lets in must name no further addresses.
    #[test]
    fn each_kind_of_source_is_read_as_what_it_is_and_as_nothing_else() {
        let streams = "mpjpeg,mjpeg,mpegts,mov,matroska,flv,live_flv,avi,h264,hevc,image2,jpeg_pipe,png_pipe,webp_pipe,bmp_pipe";
        let files =
            "mpeg,mpegvideo,m4v,ogg,asf,gif,apng,mxf,dv,ivf,obu,nut,yuv4mpegpipe,rm,dhav,tiff_pipe";
        let rtsp = "-fflags nobuffer -protocol_whitelist rtsp,rtp,udp,tcp,tls -format_whitelist rtsp -rtsp_transport tcp -timeout 5000000";
        let http = format!(
            "-protocol_whitelist http,https,tcp,tls -format_whitelist {streams} -max_redirects 0 -rw_timeout 5000000"
        );
        let file = format!("-protocol_whitelist file -format_whitelist {streams},{files} -re");
        let here = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        for (url, wanted) in [
            ("rtsp://cam/live", rtsp),
            ("rtsps://cam/live", rtsp),
            ("http://cam/live", &http),
            ("https://cam/live.m3u8", &http),
            (here, &file),
            (&format!("file:{here}"), &file),
            (&format!("file://{here}"), &file),
            (
                &format!("{here}?loop=1"),
                &format!("{file} -stream_loop -1"),
            ),
            ("v4l2:/dev/video0", "-fflags nobuffer -f v4l2"),
            ("avfoundation:0", "-fflags nobuffer -f avfoundation"),
            ("dshow:video=Cam", "-fflags nobuffer -f dshow"),
        ] {
            assert_eq!(options(url), wanted, "{url}");
        }
    }
}
