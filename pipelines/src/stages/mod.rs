//! What pipelines share. A stage knows no pipeline; a pipeline strings stages together.

#[cfg(feature = "torch")]
pub mod autoencoder;
pub mod blur;
pub mod canny;
#[cfg(feature = "torch")]
pub mod checkpoint;
#[cfg(feature = "torch")]
mod denoise;
pub mod edges;
#[cfg(feature = "torch")]
pub mod fault;
pub mod grey;
#[cfg(feature = "torch")]
pub mod guard;
#[cfg(feature = "torch")]
pub mod model;
#[cfg(feature = "torch")]
pub mod painter;
pub mod params;
#[cfg(feature = "torch")]
pub mod pixels;
#[cfg(feature = "torch")]
pub mod prompt_cache;
#[cfg(feature = "torch")]
pub mod sheet;
pub mod sobel;
#[cfg(feature = "torch")]
mod veil;
