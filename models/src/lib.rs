//! The networks, on tch. Knows tensors; not frames, users or HTTP.

pub mod device;
pub mod noise;
pub mod tokenizer;
pub mod weights;
