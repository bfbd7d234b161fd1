//! What a `scheduler_config.json` of the diffusers layout says.

use serde::Deserialize;

use super::NoiseError;

/// The algorithms that are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// diffusers' `LCMScheduler`.
    Lcm,
    /// diffusers' `EulerDiscreteScheduler`.
    Euler,
    /// diffusers' `DDIMScheduler`, eta 0.
    Ddim,
}

/// How the betas run from `beta_start` to `beta_end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum BetaSchedule {
    /// Evenly spaced.
    #[serde(rename = "linear")]
    Linear,
    /// Squares of evenly spaced roots: Stable Diffusion's.
    #[serde(rename = "scaled_linear")]
    ScaledLinear,
    /// Cosine, <https://arxiv.org/abs/2102.09672>, which has no start and end.
    #[serde(rename = "squaredcos_cap_v2", alias = "cosine")]
    Cosine,
}

/// What the denoiser's output means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Prediction {
    /// The noise.
    #[serde(rename = "epsilon")]
    Epsilon,
    /// `sqrt(abar) noise - sqrt(1 - abar) x0`, <https://arxiv.org/abs/2202.00512>.
    #[serde(rename = "v_prediction")]
    Velocity,
    /// The clean latent itself.
    #[serde(rename = "sample", alias = "original_sample")]
    Sample,
}

/// Where on the training timesteps the inference steps lie, table 2 of <https://arxiv.org/abs/2305.08891>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Spacing {
    /// From the first timestep on; the last training timestep is left out.
    Leading,
    /// From the last training timestep down.
    Trailing,
    /// Both ends included.
    Linspace,
}

/// The file as it stands. A field that it leaves out is `None`, because its default depends on the algorithm that reads it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SchedulerConfig {
    #[serde(rename = "_class_name")]
    class_name: Option<String>,
    pub(super) num_train_timesteps: Option<usize>,
    pub(super) beta_start: Option<f64>,
    pub(super) beta_end: Option<f64>,
    pub(super) beta_schedule: Option<serde_json::Value>,
    trained_betas: Option<serde_json::Value>,
    pub(super) prediction_type: Option<Prediction>,
    pub(super) timestep_spacing: Option<Spacing>,
    pub(super) steps_offset: Option<usize>,
    pub(super) rescale_betas_zero_snr: Option<bool>,
    pub(super) clip_sample: Option<bool>,
    pub(super) clip_sample_range: Option<f64>,
    pub(super) set_alpha_to_one: Option<bool>,
    thresholding: Option<bool>,
    pub(super) original_inference_steps: Option<usize>,
    pub(super) timestep_scaling: Option<f64>,
    pub(super) final_sigmas_type: Option<String>,
    interpolation_type: Option<String>,
    timestep_type: Option<String>,
    use_karras_sigmas: Option<bool>,
    use_exponential_sigmas: Option<bool>,
    use_beta_sigmas: Option<bool>,
}

impl SchedulerConfig {
    /// Reads the text of a `scheduler_config.json`.
    ///
    /// # Errors
    /// When it is no JSON object or a field has a type or a value that no schedule knows.
    pub fn from_json(text: &str) -> Result<Self, NoiseError> {
        Ok(serde_json::from_str(text)?)
    }

    /// The algorithm named by `_class_name`.
    ///
    /// # Errors
    /// When it is another class: many older checkpoints ship `PNDMScheduler`, and are run on a schedule that the row names.
    pub fn algorithm(&self) -> Result<Algorithm, NoiseError> {
        match self.class_name.as_deref() {
            Some("LCMScheduler") => Ok(Algorithm::Lcm),
            Some("EulerDiscreteScheduler") => Ok(Algorithm::Euler),
            Some("DDIMScheduler") => Ok(Algorithm::Ddim),
            other => Err(NoiseError::Unsupported {
                field: "_class_name",
                value: other.unwrap_or("(none)").to_owned(),
            }),
        }
    }

    pub(super) fn betas(&self, default: BetaSchedule) -> Result<BetaSchedule, NoiseError> {
        refuse(
            "trained_betas",
            self.trained_betas.as_ref().is_some_and(|v| !v.is_null()),
            "a list",
        )?;
        let Some(named) = self.beta_schedule.as_ref().filter(|v| !v.is_null()) else {
            return Ok(default);
        };
        serde_json::from_value(named.clone()).map_err(|_| NoiseError::Unsupported {
            field: "beta_schedule",
            value: named
                .as_str()
                .map_or_else(|| named.to_string(), str::to_owned),
        })
    }

    /// Refuses what changes the numbers of LCM and DDIM and is not built.
    pub(super) fn refuse_thresholding(&self) -> Result<(), NoiseError> {
        refuse("thresholding", self.thresholding == Some(true), "true")
    }

    /// Refuses what changes Euler's sigmas and is not built.
    pub(super) fn refuse_other_sigmas(&self) -> Result<(), NoiseError> {
        refuse(
            "use_karras_sigmas",
            self.use_karras_sigmas == Some(true),
            "true",
        )?;
        refuse(
            "use_exponential_sigmas",
            self.use_exponential_sigmas == Some(true),
            "true",
        )?;
        refuse(
            "use_beta_sigmas",
            self.use_beta_sigmas == Some(true),
            "true",
        )?;
        let interpolation = self.interpolation_type.as_deref().unwrap_or("linear");
        refuse(
            "interpolation_type",
            interpolation != "linear",
            interpolation,
        )?;
        let timesteps = self.timestep_type.as_deref().unwrap_or("discrete");
        refuse("timestep_type", timesteps != "discrete", timesteps)
    }
}

fn refuse(field: &'static str, asked: bool, value: &str) -> Result<(), NoiseError> {
    if asked {
        return Err(NoiseError::Unsupported {
            field,
            value: value.to_owned(),
        });
    }
    Ok(())
}
