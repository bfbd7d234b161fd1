//! What a session shows, before and after it is compressed.

use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use limn_pipeline::{Frame, JpegFrame, Size, Timestamp};

/// A painted frame, or a placard where there is none.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The pixels.
    pub frame: Frame,
    /// The placard's name, if it is one.
    pub placard: Option<&'static str>,
    /// Counts what one session has shown, from 1.
    pub serial: u64,
    /// When it was ready to be shown.
    pub painted: Timestamp,
    /// It as JPEG in the plain rendition, once somebody has compressed it: two screens may show it.
    pub plain: Arc<OnceLock<Result<JpegFrame, EncodeError>>>,
}

impl Shown {
    /// A picture, or the placard of that name, which no screen has numbered yet.
    pub fn new(frame: Frame, placard: Option<&'static str>) -> Self {
        Self {
            frame,
            placard,
            serial: 0,
            painted: Timestamp::now(),
            plain: Arc::default(),
        }
    }

    /// The same in another form, which nobody has compressed yet; sequence and time of capture stay.
    pub fn with(&self, frame: Frame) -> Self {
        Self {
            frame: frame.stamped_like(&self.frame),
            plain: Arc::default(),
            ..*self
        }
    }
}

/// Why a frame could not be compressed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot encode a frame of {size} as jpeg: {reason}")]
pub struct EncodeError {
    /// Its size.
    pub size: Size,
    /// What the encoder or decoder said.
    pub reason: String,
}

/// One way to compress what a session shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rendition {
    /// Scaled down to so many pixels from left to right; `None`, or more than there are: as it was painted.
    pub width: Option<u32>,
    /// JPEG quality, 1 to 100; `None`: the server's, and the very bytes that came where nothing changed them.
    pub quality: Option<u8>,
}

impl fmt::Display for Rendition {
    /// As it is asked for in an address: `width=640&quality=50`; `plain` where nothing is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.width, self.quality) {
            (None, None) => f.write_str("plain"),
            (Some(width), None) => write!(f, "width={width}"),
            (None, Some(quality)) => write!(f, "quality={quality}"),
            (Some(width), Some(quality)) => write!(f, "width={width}&quality={quality}"),
        }
    }
}

/// What a session shows, compressed once in one [`Rendition`] for all viewers. Cloning it clones reference counts.
#[derive(Clone, Debug)]
pub struct Picture {
    /// The JPEG.
    pub jpeg: JpegFrame,
    /// The placard's name, if it is one.
    pub placard: Option<&'static str>,
    /// [`Shown::serial`].
    pub serial: u64,
    /// How often the bytes have changed in this rendition: two with the same number are the same bytes.
    pub change: u64,
    /// [`Shown::painted`].
    pub painted: Timestamp,
    /// When the JPEG was ready.
    pub encoded: Timestamp,
    parts: Arc<[OnceLock<Bytes>; 2]>,
}

impl Picture {
    /// `jpeg` of `shown`; `before` is what the same rendition showed last.
    pub fn new(shown: &Shown, jpeg: JpegFrame, before: Option<&Self>) -> Self {
        let change = before.map_or(1, |before| {
            before.change + u64::from(before.jpeg.bytes != jpeg.bytes)
        });
        Self {
            jpeg,
            placard: shown.placard,
            serial: shown.serial,
            change,
            painted: shown.painted,
            encoded: Timestamp::now(),
            parts: Arc::default(),
        }
    }

    /// The picture with its framing around it, made once for all viewers of the wire `which`.
    pub fn part(&self, which: usize, make: impl FnOnce() -> Bytes) -> Bytes {
        self.parts[which].get_or_init(make).clone()
    }
}
