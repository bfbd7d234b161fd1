//! One picture to many viewers: each pulls from its own [`Feed`](crate::cell::Feed), so the slowest stalls nobody.

pub mod mjpeg;
pub mod wire;
