//! Parity with Hugging Face diffusers on small random checkpoints.

// A test may panic, and says its distances as it goes.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod bad_checkpoints;
mod full_size;
mod full_size_text;
mod nearness;
mod networks;
mod schedules;
mod small_checkpoint;
mod text;
