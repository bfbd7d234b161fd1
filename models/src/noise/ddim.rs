//! DDIM with eta 0, so without fresh noise: <https://arxiv.org/abs/2010.02502>; diffusers' `DDIMScheduler`.

use super::grid::{skipped, spaced};
use super::plan::{Next, roots};
use super::schedule::BetaDefaults;
use super::{
    BetaSchedule, NoiseError, NoiseLevels, Plan, Prediction, SchedulerConfig, Spacing, Step,
};

/// The deterministic schedule of the DDIM paper, formula (12).
#[derive(Debug, Clone)]
pub struct Ddim {
    levels: NoiseLevels,
    prediction: Prediction,
    spacing: Spacing,
    offset: usize,
    clip: Option<f64>,
    /// abar where the last step ends.
    final_abar: f32,
}

impl Ddim {
    pub(super) fn new(config: &SchedulerConfig) -> Result<Self, NoiseError> {
        config.refuse_thresholding()?;
        let defaults = BetaDefaults {
            schedule: BetaSchedule::Linear,
            start: 0.0001,
            end: 0.02,
        };
        let levels = NoiseLevels::new(config, &defaults)?;
        Ok(Self {
            prediction: config.prediction_type.unwrap_or(Prediction::Epsilon),
            spacing: config.timestep_spacing.unwrap_or(Spacing::Leading),
            offset: config.steps_offset.unwrap_or(0),
            clip: config
                .clip_sample
                .unwrap_or(true)
                .then(|| config.clip_sample_range.unwrap_or(1.0)),
            final_abar: if config.set_alpha_to_one.unwrap_or(true) {
                1.0
            } else {
                levels.abar(0)
            },
            levels,
        })
    }

    pub(super) fn levels(&self) -> &NoiseLevels {
        &self.levels
    }

    pub(super) fn plan(&self, steps: usize, strength: f64) -> Result<Plan, NoiseError> {
        let train = self.levels.train_timesteps();
        let grid = spaced(self.spacing, steps, train, self.offset)?;
        let run = grid.into_iter().skip(skipped(steps, strength)?);
        // The step goes this far on every grid, also on those whose points lie further apart: as in the reference.
        let stride = train / steps;
        let plan = run
            .map(|timestep| timestep.round_ties_even() as usize)
            .map(|timestep| self.step(timestep, timestep.checked_sub(stride)))
            .collect::<Result<_, _>>()?;
        Ok(Plan {
            steps: plan,
            noise_scale: 1.0,
        })
    }

    fn step(&self, timestep: usize, after: Option<usize>) -> Result<Step, NoiseError> {
        let mut step = Step::at(timestep, &self.levels, self.prediction, self.clip)?;
        let (signal, noise) = roots(self.levels.abar(timestep));
        let (signal_after, noise_after) =
            roots(after.map_or(self.final_abar, |after| self.levels.abar(after)));
        // next = signal_after * x0 + noise_after * eps, with eps from whatever the denoiser predicts. eps is taken from
        // the latent and the raw output, so that a clamp of x0 does not reach it; but a network that predicts x0 itself
        // has its eps from the unclamped x0, which is the output.
        step.next = match self.prediction {
            Prediction::Epsilon => Next {
                denoised: signal_after,
                output: noise_after,
                ..Next::default()
            },
            Prediction::Velocity => Next {
                denoised: signal_after,
                latent: noise_after * noise,
                output: noise_after * signal,
                noise: 0.0,
            },
            Prediction::Sample => Next {
                denoised: signal_after,
                latent: noise_after / noise,
                output: -noise_after * signal / noise,
                noise: 0.0,
            },
        };
        Ok(step)
    }
}
