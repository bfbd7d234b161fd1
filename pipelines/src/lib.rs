//! The pipelines that ship with Limn, and the registry that lists them.
//!
//! To add one: write its module (start from [`passthrough`]), give it rows in [`rows`], add its line to [`registry`].
//! What pipelines share stands in [`stages`]. The feature `torch` (default) brings the diffusion pipelines.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod canny;
#[cfg(feature = "torch")]
pub mod controlnet;
pub mod device;
#[cfg(feature = "torch")]
pub mod img2img;
#[cfg(feature = "torch")]
pub mod lcm;
#[cfg(feature = "torch")]
pub mod painting;
pub mod passthrough;
pub mod registry;
pub mod rows;
pub mod stages;

pub use registry::REGISTRY;
