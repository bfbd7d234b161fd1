//! What tch lacks. With `limn-ndi` the only place where `unsafe` is allowed.

pub mod cuda;
pub mod stage_clock;
