//! Parity with Hugging Face diffusers on small random checkpoints, and with OpenCV on real photographs.

mod canny;
mod netpbm;
#[cfg(feature = "torch")]
mod pipelines;
