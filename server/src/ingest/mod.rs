//! Pictures from strangers: bytes in, a frame of the wanted size out. Limits live here.

pub mod decode;
pub mod fit;
pub mod multipart;

use bytes::Bytes;
use clap::{Args, ValueEnum};
use limn_pipeline::{Frame, Size, Timestamp};

pub use decode::IngestError;

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
    /// The largest picture taken, in bytes
    #[arg(long, env = "LIMN_MAX_FRAME_BYTES", value_name = "BYTES", default_value_t = 16 << 20)]
    pub max_frame_bytes: usize,
    /// The largest picture taken, in pixels; checked before it is decoded
    #[arg(long, env = "LIMN_MAX_PIXELS", value_name = "PIXELS", default_value_t = 16 << 20)]
    pub max_pixels: u64,
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
    /// JPEG, PNG or WebP as it came; `None` is a beat of the metronome.
    pub picture: Option<Bytes>,
    /// Counts the session's uploads from 1.
    pub sequence: u64,
    /// When the last byte had arrived.
    pub captured: Timestamp,
}

/// Decodes one picture, turns it and makes it fit `size`. A JPEG with which nothing is to be done keeps its pixels inside if
/// nobody `reads` them.
///
/// # Errors
/// If the bytes are no picture, or one over a limit of `config`.
pub fn take(
    bytes: &Bytes,
    size: Size,
    reads: bool,
    config: &IngestConfig,
) -> Result<Frame, IngestError> {
    let head = decode::head(bytes, config)?;
    let as_it_is = config.rotate == Rotate::None
        && !config.mirror
        && head.is_upright_jpeg()
        && head.size == size;
    if as_it_is && !reads {
        return Ok(Frame::in_jpeg(size, bytes.clone(), decode::pixels));
    }
    let decoded = head.decode()?;
    Ok(fit::fit(decoded, size, config))
}
