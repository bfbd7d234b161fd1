//! What tch lacks. With `limn-ndi` the only place where `unsafe` is allowed.

pub mod context;
pub mod cuda;
pub mod memory;
mod runtime;
pub mod stage_clock;
