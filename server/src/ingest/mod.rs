//! Pictures from strangers: bytes in, a frame of the wanted size out. Limits live here.

pub mod decode;
pub mod fit;
pub mod jpeg;
pub mod multipart;
pub mod source;
mod webp;

use bytes::Bytes;
use clap::{Args, ValueEnum};
use limn_pipeline::{Frame, Size, Timestamp};
use serde_json::{Map, Value};

use source::allow::Allowed;
use source::flag::SourceFlag;
use source::url::SourceUrl;

pub use decode::{Decoded, IngestError};

/// What is done to pictures that come in.
#[derive(Args, Clone, Debug)]
pub struct IngestConfig {
    /// How a picture of other proportions is made to fit: cut, or with black bars; never stretched
    #[arg(long, env = "LIMN_FIT", value_enum, default_value_t = Fit::Crop)]
    pub fit: Fit,
    /// Swap left and right, as a mirror does
    #[arg(long, env = "LIMN_MIRROR")]
    pub mirror: bool,
    /// Turn the picture clockwise by this many degrees
    #[arg(long, env = "LIMN_ROTATE", value_enum, default_value_t = Rotate::None)]
    pub rotate: Rotate,
    /// Read pictures from here and put them on air: rtsp://, http://, a file (`?loop=1`), v4l2:, screen:, ndi:, image:, pattern:
    #[arg(long, env = "LIMN_SOURCE", value_name = "URL", hide_env_values = true, value_parser = SourceFlag)]
    pub source: Option<SourceUrl>,
    /// What sessions begun by request may read: schemes or beginnings of addresses, as rtsp,file:/media, with commas; by default all
    /// on a loopback address without keys, and pattern, ndi, rtsp, rtsps, http, https elsewhere
    #[arg(
        long,
        env = "LIMN_SOURCE_ALLOW",
        value_name = "LIST",
        value_delimiter = ','
    )]
    pub source_allow: Vec<Allowed>,
    /// What its session is painted with, as JSON: '{"prompt": "neon", "width": 640}'
    #[arg(long, env = "LIMN_SOURCE_PARAMS", value_name = "JSON", requires = "source", value_parser = object)]
    pub source_params: Option<Map<String, Value>>,
    /// The largest picture taken, in bytes
    #[arg(long, env = "LIMN_MAX_FRAME_BYTES", value_name = "BYTES", default_value_t = 16 << 20)]
    pub max_frame_bytes: usize,
    /// Memory for pictures on their way in, all together, in bytes
    #[arg(long, env = "LIMN_MAX_UPLOAD_BYTES", value_name = "BYTES", default_value_t = 256 << 20)]
    pub max_upload_bytes: usize,
    /// The largest picture taken, in pixels; checked before it is decoded
    #[arg(long, env = "LIMN_MAX_PIXELS", value_name = "PIXELS", default_value_t = 16 << 20)]
    pub max_pixels: u64,
}

fn object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("`{text}` is no JSON object: {error}"))
}

/// How a picture of other proportions is made to fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Fit {
    /// The middle is kept and what stands over is cut.
    Crop,
    /// All is kept between black bars.
    Letterbox,
}

/// Clockwise, in degrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Rotate {
    /// As it comes.
    #[value(name = "0")]
    None,
    /// A quarter.
    #[value(name = "90")]
    Quarter,
    /// Upside down.
    #[value(name = "180")]
    Half,
    /// Three quarters.
    #[value(name = "270")]
    ThreeQuarters,
}

/// What a session's source hands in: a compressed picture, or a beat without one for pipelines that paint from words.
#[derive(Clone, Debug)]
pub struct Upload {
    /// `None` is a beat of the metronome.
    pub picture: Option<Content>,
    /// Counts the session's uploads from 1.
    pub sequence: u64,
    /// When the last byte had arrived.
    pub captured: Timestamp,
}

/// A picture as it came.
#[derive(Clone, Debug)]
pub enum Content {
    /// A JPEG, PNG or WebP.
    File(Bytes),
    /// Pixels, from a source that the server reads itself.
    Frame(Frame),
}

/// Decodes one picture, turns it and makes it fit `size`. A JPEG with which nothing is to be done keeps its pixels inside if
/// nobody `reads` them.
///
/// # Errors
/// If the bytes are no picture, or one over a limit of `config`.
pub fn take(
    content: &Content,
    size: Size,
    reads: bool,
    config: &IngestConfig,
) -> Result<Frame, IngestError> {
    let still = config.rotate == Rotate::None && !config.mirror;
    let decoded = match content {
        Content::Frame(frame) if still && frame.size() == size => return Ok(frame.clone()),
        Content::Frame(frame) => Decoded::of(frame),
        Content::File(bytes) => {
            let head = decode::head(bytes, config)?;
            if still
                && !reads
                && head.size == size
                && let Some(jpeg) = head.as_it_came()
            {
                return Ok(Frame::in_jpeg(size, jpeg, decode::pixels));
            }
            head.decode()?
        }
    };
    Ok(fit::fit(decoded, size, config))
}
