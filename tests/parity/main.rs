//! Parity with Hugging Face diffusers on small random checkpoints.
