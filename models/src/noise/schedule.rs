//! Betas, and what follows from them: how much picture and how much noise each training timestep holds.
//!
//! In `f32` and in diffusers' own order of operations. In `f64` the sigma of timestep 139 already differs by 1.5e-6,
//! because the reference rounds `1 - beta` to `f32` before it multiplies.

use super::{BetaSchedule, NoiseError, SchedulerConfig};

/// The cosine schedule's betas are capped here, as in the paper <https://arxiv.org/abs/2102.09672>, section 3.2.
const COSINE_CAP: f64 = 0.999;

/// Euler's stand-in for a signal of zero, the smallest subnormal of f16, so that its first sigma is finite.
pub(super) const EULER_ZERO: f32 = 1.0 / 16_777_216.0;

/// The defaults of a config's betas, which differ between diffusers' classes.
pub(super) struct BetaDefaults {
    pub schedule: BetaSchedule,
    pub start: f64,
    pub end: f64,
}

/// The products of `1 - beta` over the training timesteps, called abar.
#[derive(Debug, Clone)]
pub struct NoiseLevels {
    abar: Vec<f32>,
}

impl NoiseLevels {
    pub(super) fn new(
        config: &SchedulerConfig,
        defaults: &BetaDefaults,
    ) -> Result<Self, NoiseError> {
        let count = config.num_train_timesteps.unwrap_or(1000);
        if !(2..=100_000).contains(&count) {
            return Err(invalid(
                "num_train_timesteps",
                count,
                "it must be in 2..=100000",
            ));
        }
        let start = config.beta_start.unwrap_or(defaults.start);
        let end = config.beta_end.unwrap_or(defaults.end);
        if !(start > 0.0 && start < 1.0) {
            return Err(invalid("beta_start", start, "it must lie between 0 and 1"));
        }
        if !(end > 0.0 && end < 1.0) {
            return Err(invalid("beta_end", end, "it must lie between 0 and 1"));
        }
        let mut betas = match config.betas(defaults.schedule)? {
            BetaSchedule::Linear => linspace(start, end, count),
            BetaSchedule::ScaledLinear => linspace(start.sqrt(), end.sqrt(), count)
                .into_iter()
                .map(|root| root * root)
                .collect(),
            BetaSchedule::Cosine => cosine(count),
        };
        if config.rescale_betas_zero_snr == Some(true) {
            betas = zero_terminal_snr(&betas);
        }
        Ok(Self {
            abar: products(&betas),
        })
    }

    /// How many timesteps the denoiser was trained with: 1000 for every published checkpoint of Stable Diffusion.
    pub fn train_timesteps(&self) -> usize {
        self.abar.len()
    }

    /// abar at a training timestep, 0..1: the share of the picture in the variance. Panics beyond the last timestep.
    pub fn abar(&self, timestep: usize) -> f32 {
        self.abar[timestep]
    }

    /// `sqrt((1 - abar) / abar)` at a training timestep: noise against picture. Panics beyond the last timestep.
    pub fn sigma(&self, timestep: usize) -> f32 {
        let abar = self.abar[timestep];
        ((1.0 - abar) / abar).sqrt()
    }

    /// Sets the last level, where rescaling left nothing, to a value that sigma can be computed of.
    pub(super) fn lift_last(&mut self, abar: f32) {
        if let Some(last) = self.abar.last_mut() {
            *last = abar;
        }
    }
}

fn invalid(field: &'static str, value: impl ToString, why: &'static str) -> NoiseError {
    NoiseError::Invalid {
        field,
        value: value.to_string(),
        why,
    }
}

/// `count` values from both ends towards the middle, as torch does it.
fn linspace(start: f64, end: f64, count: usize) -> Vec<f32> {
    let (start, end) = (start as f32, end as f32);
    let step = (end - start) / (count - 1) as f32;
    (0..count)
        .map(|i| {
            if i < count / 2 {
                start + step * i as f32
            } else {
                end - step * (count - 1 - i) as f32
            }
        })
        .collect()
}

fn cosine(count: usize) -> Vec<f32> {
    let bar = |t: f64| {
        ((t + 0.008) / 1.008 * std::f64::consts::PI / 2.0)
            .cos()
            .powi(2)
    };
    let n = count as f64;
    (0..count)
        .map(|i| (1.0 - bar((i + 1) as f64 / n) / bar(i as f64 / n)).min(COSINE_CAP) as f32)
        .collect()
}

/// torch multiplies `f32` factors in an `f64` register and rounds each product on the way out.
fn products(betas: &[f32]) -> Vec<f32> {
    let mut product = 1.0f64;
    betas
        .iter()
        .map(|beta| {
            product *= f64::from(1.0 - beta);
            product as f32
        })
        .collect()
}

/// Algorithm 1 of <https://arxiv.org/abs/2305.08891>: the last timestep holds nothing of the picture, the first as much as before.
fn zero_terminal_snr(betas: &[f32]) -> Vec<f32> {
    let roots: Vec<f32> = products(betas).into_iter().map(f32::sqrt).collect();
    let (first, last) = (roots[0], roots[roots.len() - 1]);
    let scale = first / (first - last);
    let bars: Vec<f32> = roots
        .into_iter()
        .map(|root| (root - last) * scale)
        .map(|root| root * root)
        .collect();
    let mut before = 1.0;
    bars.into_iter()
        .map(|bar| {
            let alpha = bar / before;
            before = bar;
            1.0 - alpha
        })
        .collect()
}
