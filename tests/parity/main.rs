//! Parity with Hugging Face diffusers on small random checkpoints, and with OpenCV on real photographs.

// A test may panic, and says its distances as it goes.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[cfg(feature = "torch")]
mod bad_checkpoints;
mod canny;
#[cfg(feature = "torch")]
mod full_size;
#[cfg(feature = "torch")]
mod full_size_text;
#[cfg(feature = "torch")]
mod nearness;
mod netpbm;
#[cfg(feature = "torch")]
mod networks;
#[cfg(feature = "torch")]
mod pipelines;
#[cfg(feature = "torch")]
mod schedules;
#[cfg(feature = "torch")]
mod small_checkpoint;
#[cfg(feature = "torch")]
mod text;
