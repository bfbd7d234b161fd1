//! Noise schedules: which timesteps run, and what one step does to a latent.
//!
//! Two layers. A [`Plan`] is numbers only: the timesteps and, for each step, the scalar coefficients of its update. It is
//! made when steps, strength or the schedule change, and never reads a tensor. [`Step`] then applies those coefficients
//! to latents, so between upload and download nothing comes back to the host.
//!
//! ```text
//! scheduler_config.json ──► SchedulerConfig ──► NoiseScheduler ──(steps, strength, rule)──► Plan ──► Step, Step, …
//! ```
//!
//! Reference: diffusers 0.42.1, `schedulers/`. The tests under `tests/parity/schedules.rs` hold every branch to it.

mod config;
mod ddim;
mod draw;
mod euler;
mod grid;
mod lcm;
mod plan;
mod schedule;

pub use config::{Algorithm, BetaSchedule, Prediction, SchedulerConfig, Spacing};
pub use draw::draw_noise;
pub use lcm::guidance_embedding;
pub use plan::{Plan, Rule, Step, Stepped, controlnet_keep, repair_steps};
pub use schedule::NoiseLevels;

use ddim::Ddim;
use euler::Euler;
use lcm::Lcm;

/// Why a noise schedule cannot be built or planned.
#[derive(Debug, thiserror::Error)]
pub enum NoiseError {
    /// The file is not a scheduler's config; the text is serde's.
    #[error("scheduler config cannot be read: {0}")]
    Config(#[from] serde_json::Error),
    /// The config asks for something that is not built.
    #[error("scheduler config asks for {field} = `{value}`, which is not supported")]
    Unsupported {
        /// Name of the field in `scheduler_config.json`.
        field: &'static str,
        /// What it says.
        value: String,
    },
    /// Numbers that make no schedule.
    #[error("scheduler config says {field} = `{value}`: {why}")]
    Invalid {
        /// Name of the field in `scheduler_config.json`.
        field: &'static str,
        /// What it says.
        value: String,
        /// Which bound it breaks.
        why: &'static str,
    },
    /// The steps asked for do not fit; the caller may lower them to `most`.
    #[error("steps `{steps}` are out of 1..={most} at strength `{strength}`")]
    Steps {
        /// Steps asked for.
        steps: usize,
        /// The largest number that this schedule can run at this strength.
        most: usize,
        /// Strength asked for, 0..=1.
        strength: f64,
    },
    /// Strength outside 0..=1.
    #[error("strength `{0}` is out of 0..=1")]
    Strength(f64),
    /// Nothing would run; see [`repair_steps`].
    #[error("no step would run: int({steps} * {strength}) is 0")]
    Nothing {
        /// Steps asked for.
        steps: usize,
        /// Strength asked for, 0..=1.
        strength: f64,
    },
    /// Noise prediction divides by zero where nothing of the picture is left.
    #[error(
        "timestep `{0}` has zero terminal signal, which prediction_type `epsilon` cannot invert"
    )]
    ZeroSignal(usize),
}

/// A noise schedule of one of the three algorithms, as a `scheduler_config.json` describes it.
#[derive(Debug, Clone)]
pub enum NoiseScheduler {
    /// Latent consistency, <https://arxiv.org/abs/2310.04378>.
    Lcm(Lcm),
    /// Euler's method on the ODE of Karras et al., <https://arxiv.org/abs/2206.00364>, algorithm 2 without churn.
    Euler(Euler),
    /// DDIM with eta 0, <https://arxiv.org/abs/2010.02502>.
    Ddim(Ddim),
}

impl NoiseScheduler {
    /// The algorithm that the config itself names in `_class_name`.
    ///
    /// # Errors
    /// When the config names another class, or asks for something that is not built.
    pub fn from_config(config: &SchedulerConfig) -> Result<Self, NoiseError> {
        Self::new(config.algorithm()?, config)
    }

    /// `algorithm` with the numbers of `config`: what a row does that runs a checkpoint on another schedule than its own.
    /// A field that the config leaves out takes the default of `algorithm`, as in diffusers.
    ///
    /// # Errors
    /// When the config asks for something that is not built.
    pub fn new(algorithm: Algorithm, config: &SchedulerConfig) -> Result<Self, NoiseError> {
        Ok(match algorithm {
            Algorithm::Lcm => Self::Lcm(Lcm::new(config)?),
            Algorithm::Euler => Self::Euler(Euler::new(config)?),
            Algorithm::Ddim => Self::Ddim(Ddim::new(config)?),
        })
    }

    /// Which timesteps run and what each does. `strength` 0..=1, where 1 starts from pure noise; it is `f64` because the
    /// reference multiplies in double precision, and 0.7 through an `f32` already loses a step of ten.
    ///
    /// # Errors
    /// When the numbers are out of bounds or nothing would run.
    pub fn plan(&self, steps: usize, strength: f64, rule: Rule) -> Result<Plan, NoiseError> {
        if !(0.0..=1.0).contains(&strength) {
            return Err(NoiseError::Strength(strength));
        }
        let most = self.most_steps(strength, rule);
        if steps == 0 || steps > most {
            return Err(NoiseError::Steps {
                steps,
                most,
                strength,
            });
        }
        match self {
            Self::Lcm(lcm) => lcm.plan(steps, strength, rule),
            Self::Euler(euler) => euler.plan(steps, strength),
            Self::Ddim(ddim) => ddim.plan(steps, strength),
        }
    }

    /// The largest number of steps that [`plan`](Self::plan) takes at this strength: LCM's own grid has only
    /// `int(50 * strength)` places.
    pub fn most_steps(&self, strength: f64, rule: Rule) -> usize {
        match self {
            Self::Lcm(lcm) => lcm.most_steps(strength, rule),
            Self::Euler(euler) => euler.levels().train_timesteps(),
            Self::Ddim(ddim) => ddim.levels().train_timesteps(),
        }
    }

    /// How much of picture and noise each training timestep holds.
    pub fn levels(&self) -> &NoiseLevels {
        match self {
            Self::Lcm(lcm) => lcm.levels(),
            Self::Euler(euler) => euler.levels(),
            Self::Ddim(ddim) => ddim.levels(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
