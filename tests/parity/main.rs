//! Parity with Hugging Face diffusers on small random checkpoints, and with OpenCV on real photographs.

// A test may panic, and says its distances as it goes.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod bad_checkpoints;
mod canny;
mod full_size;
mod full_size_text;
mod guard;
mod nearness;
mod netpbm;
mod networks;
mod pipelines;
mod safety;
mod schedules;
mod text;
