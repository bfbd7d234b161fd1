//! Noise from a seed.

use std::sync::{Mutex, PoisonError};

use tch::{Device, Kind, Tensor};

/// Seeding and drawing are one act: libtorch has one CPU generator for the process.
static GENERATOR: Mutex<()> = Mutex::new(());

/// `count` draws of unit noise of one shape, f32 on the CPU: the same numbers as PyTorch's
/// `torch.Generator("cpu").manual_seed(seed)` gives to as many calls of `torch.randn`. A run takes the first draw to
/// noise its picture and one more for each step that injects noise ([`Plan::draws`](super::Plan::draws)).
///
/// Cast after drawing: noise drawn as bf16 is other noise. For a batch of several sessions draw each one's own `[1, 4, H/8, W/8]`
/// and join them, so that nobody's noise depends on a neighbour.
///
/// For the device thread only, and for nothing else that draws: libtorch has one CPU generator for the process, and this
/// seeds it.
pub fn draw_noise(seed: u64, shape: &[i64], count: usize) -> Vec<Tensor> {
    let _alone = GENERATOR.lock().unwrap_or_else(PoisonError::into_inner);
    // The seed's 64 bits go through unchanged; libtorch takes them unsigned.
    tch::manual_seed(seed as i64);
    (0..count)
        .map(|_| Tensor::randn(shape, (Kind::Float, Device::Cpu)))
        .collect()
}
