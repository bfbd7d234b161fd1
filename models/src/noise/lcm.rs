//! Latent consistency models: <https://arxiv.org/abs/2310.04378>; diffusers' `LCMScheduler`.

use tch::{Device, Kind, Tensor};

use super::grid::skipped;
use super::plan::{Next, roots};
use super::schedule::BetaDefaults;
use super::{BetaSchedule, NoiseError, NoiseLevels, Plan, Prediction, Rule, SchedulerConfig, Step};

/// The standard deviation of the data in the boundary condition; the paper's appendix B and diffusers both fix it.
const SIGMA_DATA: f64 = 0.5;

/// The multistep consistency schedule: each step denoises fully, then noises again to the next level.
#[derive(Debug, Clone)]
pub struct Lcm {
    levels: NoiseLevels,
    prediction: Prediction,
    clip: Option<f64>,
    /// Steps of the grid on which the network was distilled; 50 in every published checkpoint.
    origin_steps: usize,
    /// Timesteps count this much in the boundary condition; 10.
    timestep_scaling: f64,
}

impl Lcm {
    pub(super) fn new(config: &SchedulerConfig) -> Result<Self, NoiseError> {
        config.refuse_thresholding()?;
        let defaults = BetaDefaults {
            schedule: BetaSchedule::ScaledLinear,
            start: 0.00085,
            end: 0.012,
        };
        let levels = NoiseLevels::new(config, &defaults)?;
        let origin_steps = config.original_inference_steps.unwrap_or(50);
        if !(1..=levels.train_timesteps()).contains(&origin_steps) {
            return Err(NoiseError::Invalid {
                field: "original_inference_steps",
                value: origin_steps.to_string(),
                why: "it must be in 1..=num_train_timesteps",
            });
        }
        Ok(Self {
            levels,
            prediction: config.prediction_type.unwrap_or(Prediction::Epsilon),
            clip: (config.clip_sample == Some(true))
                .then(|| config.clip_sample_range.unwrap_or(1.0)),
            origin_steps,
            timestep_scaling: config.timestep_scaling.unwrap_or(10.0),
        })
    }

    pub(super) fn levels(&self) -> &NoiseLevels {
        &self.levels
    }

    pub(super) fn most_steps(&self, strength: f64, rule: Rule) -> usize {
        match rule {
            Rule::Generic => self.origin_steps,
            Rule::LcmOwn => (self.origin_steps as f64 * strength) as usize,
        }
    }

    pub(super) fn plan(&self, steps: usize, strength: f64, rule: Rule) -> Result<Plan, NoiseError> {
        let timesteps = match rule {
            Rule::LcmOwn => self.grid(steps, strength),
            Rule::Generic => self.grid(steps, 1.0).split_off(skipped(steps, strength)?),
        };
        let mut plan = Vec::with_capacity(timesteps.len());
        for (index, &timestep) in timesteps.iter().enumerate() {
            let mut step = Step::at(timestep, &self.levels, self.prediction, self.clip)?;
            let tau = timestep as f64 * self.timestep_scaling;
            let norm = tau * tau + SIGMA_DATA * SIGMA_DATA;
            step.denoised = (tau / norm.sqrt(), SIGMA_DATA * SIGMA_DATA / norm);
            if let Some(&after) = timesteps.get(index + 1) {
                let (signal, noise) = roots(self.levels.abar(after));
                step.next = Next {
                    denoised: signal,
                    noise,
                    ..Next::default()
                };
            }
            plan.push(step);
        }
        Ok(Plan {
            steps: plan,
            noise_scale: 1.0,
        })
    }

    /// `steps` timesteps, highest first, spread over the first `strength` of the distillation grid.
    fn grid(&self, steps: usize, strength: f64) -> Vec<usize> {
        let stride = self.levels.train_timesteps() / self.origin_steps;
        let origin = (self.origin_steps as f64 * strength) as usize;
        let spread = origin as f64 / steps as f64;
        (0..steps)
            .map(|i| (origin - (i as f64 * spread).floor() as usize) * stride - 1)
            .collect()
    }
}

/// What an LCM denoiser is told of the guidance, in place of a second half of the batch: `[1, dims]`, f32, on the CPU.
/// `guidance` is the scale that users see; the network was trained on `guidance - 1`. Sines, then cosines, of the scale
/// times 1000, as in <https://arxiv.org/abs/2107.00630>. `dims` is the denoiser's `time_cond_proj_dim`, 256.
///
/// Made when the guidance changes, by the reference's own operations: its angles reach 29000, where one rounding more
/// or less moves the sine by 1e-3.
pub fn guidance_embedding(guidance: f64, dims: i64) -> Tensor {
    let half = dims / 2;
    let scale = Tensor::from_slice(&[(guidance - 1.0) as f32]) * 1000.0;
    let rate = Tensor::from_slice(&[10000.0f32]).log() / (half - 1) as f64;
    let rates = (Tensor::arange(half, (Kind::Float, Device::Cpu)) * -rate).exp();
    let angles = scale.unsqueeze(1) * rates.unsqueeze(0);
    let waves = Tensor::cat(&[angles.sin(), angles.cos()], 1);
    if dims % 2 == 1 {
        waves.constant_pad_nd([0, 1])
    } else {
        waves
    }
}
