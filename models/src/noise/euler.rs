//! Euler's method on the probability-flow ODE: <https://arxiv.org/abs/2206.00364>, algorithm 2 without churn;
//! diffusers' `EulerDiscreteScheduler`.

use super::grid::{skipped, spaced};
use super::plan::Next;
use super::schedule::{BetaDefaults, EULER_ZERO};
use super::{
    BetaSchedule, NoiseError, NoiseLevels, Plan, Prediction, SchedulerConfig, Spacing, Step,
};

/// The schedule in sigmas: a latent is `x0 + sigma * noise`, and the denoiser sees it scaled back to unit variance.
#[derive(Debug, Clone)]
pub struct Euler {
    levels: NoiseLevels,
    prediction: Prediction,
    spacing: Spacing,
    offset: usize,
    /// Where the last step ends: at no noise, or at the level of the first training timestep.
    ends_at_zero: bool,
}

impl Euler {
    pub(super) fn new(config: &SchedulerConfig) -> Result<Self, NoiseError> {
        config.refuse_other_sigmas()?;
        let defaults = BetaDefaults {
            schedule: BetaSchedule::Linear,
            start: 0.0001,
            end: 0.02,
        };
        let mut levels = NoiseLevels::new(config, &defaults)?;
        if config.rescale_betas_zero_snr == Some(true) {
            levels.lift_last(EULER_ZERO);
        }
        let ends_at_zero = match config.final_sigmas_type.as_deref() {
            None | Some("zero") => true,
            Some("sigma_min") => false,
            Some(other) => {
                return Err(NoiseError::Unsupported {
                    field: "final_sigmas_type",
                    value: other.to_owned(),
                });
            }
        };
        Ok(Self {
            levels,
            prediction: config.prediction_type.unwrap_or(Prediction::Epsilon),
            spacing: config.timestep_spacing.unwrap_or(Spacing::Linspace),
            offset: config.steps_offset.unwrap_or(0),
            ends_at_zero,
        })
    }

    pub(super) fn levels(&self) -> &NoiseLevels {
        &self.levels
    }

    pub(super) fn plan(&self, steps: usize, strength: f64) -> Result<Plan, NoiseError> {
        let grid = spaced(
            self.spacing,
            steps,
            self.levels.train_timesteps(),
            self.offset,
        )?;
        let timesteps: Vec<f32> = grid.into_iter().map(|timestep| timestep as f32).collect();
        let mut sigmas: Vec<f64> = timesteps
            .iter()
            .map(|&timestep| self.sigma_at(timestep))
            .collect();
        sigmas.push(if self.ends_at_zero {
            0.0
        } else {
            f64::from(self.levels.sigma(0))
        });
        let highest = sigmas.iter().copied().fold(0.0, f64::max);
        let first = skipped(steps, strength)?;
        let plan = (first..steps)
            .map(|i| self.step(timesteps[i], sigmas[i], sigmas[i + 1]))
            .collect();
        Ok(Plan {
            steps: plan,
            // A leading grid starts below the last training timestep, where the latent still holds unit variance of data.
            noise_scale: match self.spacing {
                Spacing::Leading => highest.hypot(1.0),
                Spacing::Trailing | Spacing::Linspace => highest,
            },
        })
    }

    fn step(&self, timestep: f32, sigma: f64, after: f64) -> Step {
        let variance = sigma * sigma + 1.0;
        let predicted = match self.prediction {
            Prediction::Epsilon => (1.0, -sigma),
            Prediction::Velocity => (1.0 / variance, -sigma / variance.sqrt()),
            Prediction::Sample => (0.0, 1.0),
        };
        // next = latent + (latent - x0) / sigma * (after - sigma)
        let ratio = after / sigma;
        Step {
            timestep,
            input_scale: 1.0 / variance.sqrt(),
            noising: (1.0, sigma),
            predicted,
            clip: None,
            denoised: (1.0, 0.0),
            next: Next {
                denoised: 1.0 - ratio,
                latent: ratio,
                ..Next::default()
            },
        }
    }

    /// Between two training timesteps sigma is interpolated, in `f64` as numpy does, and kept in `f32`.
    fn sigma_at(&self, timestep: f32) -> f64 {
        let below = timestep.floor() as usize;
        let sigma = f64::from(self.levels.sigma(below));
        let share = f64::from(timestep) - below as f64;
        if share == 0.0 {
            return sigma;
        }
        let above = f64::from(self.levels.sigma(below + 1));
        f64::from((sigma + share * (above - sigma)) as f32)
    }
}
