//! Pixels that are there, or that lie in a JPEG until somebody looks at them.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Reads the pixels out of a JPEG: three bytes each, red first; or says what is wrong with it.
pub type Decode = fn(&Bytes) -> Result<Vec<u8>, String>;

/// The pixels of a frame. Cloning clones a reference count; of several clones the first that is looked at decodes.
#[derive(Clone, Debug)]
pub enum Pixels {
    /// They are there.
    Here(Bytes),
    /// Nobody has looked yet, or one has.
    InJpeg(Arc<InJpeg>),
}

/// A JPEG and, once somebody has looked, its pixels.
#[derive(Debug)]
pub struct InJpeg {
    jpeg: Bytes,
    decode: Decode,
    /// How many bytes its header promises.
    length: usize,
    /// Mid grey, and why, where the JPEG turned out broken.
    pixels: OnceLock<(Bytes, Option<String>)>,
}

impl Pixels {
    /// Those of `jpeg`, `length` bytes of them, read by `decode` when they are wanted.
    pub fn in_jpeg(jpeg: Bytes, length: usize, decode: Decode) -> Self {
        Self::InJpeg(Arc::new(InJpeg {
            jpeg,
            decode,
            length,
            pixels: OnceLock::new(),
        }))
    }

    /// The bytes; mid grey where they lie in a JPEG that turns out broken.
    pub fn bytes(&self) -> &Bytes {
        match self {
            Self::Here(pixels) => pixels,
            Self::InJpeg(inside) => &inside.look().0,
        }
    }

    /// What is wrong with the JPEG that they lie in.
    pub fn fault(&self) -> Option<&str> {
        match self {
            Self::Here(_) => None,
            Self::InJpeg(inside) => inside.look().1.as_deref(),
        }
    }

    /// Whether they are the same, where that can be told without decoding: a JPEG is the same picture as itself.
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::InJpeg(one), Self::InJpeg(other)) => one.jpeg == other.jpeg,
            _ => self.bytes() == other.bytes(),
        }
    }
}

impl InJpeg {
    fn look(&self) -> &(Bytes, Option<String>) {
        self.pixels.get_or_init(|| {
            let fault = match (self.decode)(&self.jpeg) {
                Ok(pixels) if pixels.len() == self.length => return (pixels.into(), None),
                Ok(pixels) => format!(
                    "its header promises {} bytes of pixels, and {} came",
                    self.length,
                    pixels.len()
                ),
                Err(fault) => fault,
            };
            (vec![128; self.length].into(), Some(fault))
        })
    }
}

impl Serialize for Pixels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.bytes().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Pixels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Bytes::deserialize(deserializer).map(Self::Here)
    }
}
