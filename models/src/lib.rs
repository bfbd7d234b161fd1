//! The networks, on tch. Knows tensors; not frames, users or HTTP.

pub mod noise;
pub mod weights;
