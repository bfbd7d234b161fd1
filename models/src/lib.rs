//! The networks, on tch. Knows tensors; not frames, users or HTTP.
//!
//! ```text
//!   prompt ─► tokenizer ─► clip ─► conditioning for the unet
//!   picture ─► vae, taesd ─► latent ─► unet, with controlnet ─► latent ─► vae, taesd ─► picture ─► safety ─► verdict
//! ```
//!
//! Every network is read from [`weights`], says its tensors' shapes in its documentation, takes a batch, and is called
//! under [`tch::no_grad`], which is the caller's business because it belongs to the thread.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod clip;
pub mod device;
pub mod embedded;
pub mod folder;
pub mod hub;
pub mod noise;
pub mod tokenizer;
pub mod weights;

pub mod published;

pub mod controlnet;
pub mod safety;
pub mod taesd;
pub mod unet;
pub mod vae;

mod config;
mod layers;

pub use config::PerBlock;
