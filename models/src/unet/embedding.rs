//! The timestep as a vector (Vaswani et al. 2017, section 3.5; Ho et al. 2020, appendix B).

use tch::{Kind, TchError, Tensor};

use super::config::DescentConfig;
use crate::layers::Linear;
use crate::weights::{Scope, WeightsError};

/// The longest period of the sinusoids, as in both papers.
const MAX_PERIOD: f64 = 10_000.0;

/// Sinusoids of the timestep, and two linear maps.
pub(crate) struct TimestepEmbedding {
    linear_1: Linear,
    linear_2: Linear,
    cond_proj: Option<Linear>,
    channels: i64,
    flip_sin_to_cos: bool,
    freq_shift: f64,
    kind: Kind,
}

impl TimestepEmbedding {
    pub(crate) fn load(scope: &Scope<'_>, config: &DescentConfig) -> Result<Self, WeightsError> {
        let channels = config.block_out_channels[0];
        let width = config.time_channels();
        let cond_proj = match config.time_cond_proj_dim {
            Some(guidance) => Some(Linear::load_without_bias(
                &scope.sub("cond_proj"),
                guidance,
                channels,
            )?),
            None => None,
        };
        Ok(Self {
            linear_1: Linear::load(&scope.sub("linear_1"), channels, width)?,
            linear_2: Linear::load(&scope.sub("linear_2"), width, width)?,
            cond_proj,
            channels,
            flip_sin_to_cos: config.flip_sin_to_cos,
            freq_shift: config.freq_shift,
            kind: scope.kind(),
        })
    }

    /// `timesteps` `[B]` and, for a network that has a place for it, the embedded guidance `[B, time_cond_proj_dim]`,
    /// to `[B, 4 C]`.
    ///
    /// Already activated: every reader of the embedding begins with the same SiLU, so it is done once.
    pub(crate) fn forward(
        &self,
        timesteps: &Tensor,
        guidance: Option<&Tensor>,
    ) -> Result<Tensor, TchError> {
        let mut hidden = self.sinusoids(timesteps)?.f_to_kind(self.kind)?;
        if let (Some(project), Some(guidance)) = (&self.cond_proj, guidance) {
            hidden = hidden.f_add(&project.forward(&guidance.f_to_kind(self.kind)?)?)?;
        }
        let mut hidden = self.linear_1.forward(&hidden)?;
        let mut hidden = self.linear_2.forward(&hidden.f_silu_()?)?;
        hidden.f_silu_()
    }

    /// In f32 whatever the network's kind: a timestep of 999 has too many digits for half precision.
    fn sinusoids(&self, timesteps: &Tensor) -> Result<Tensor, TchError> {
        let half = self.channels / 2;
        let exponents = Tensor::f_arange(half, (Kind::Float, timesteps.device()))?
            .f_mul_scalar(-MAX_PERIOD.ln())?
            .f_div_scalar(half as f64 - self.freq_shift)?;
        let angles = timesteps
            .f_to_kind(Kind::Float)?
            .f_unsqueeze(1)?
            .f_mul(&exponents.f_exp()?.f_unsqueeze(0)?)?;
        let (sine, cosine) = (angles.f_sin()?, angles.f_cos()?);
        let parts = if self.flip_sin_to_cos {
            [cosine, sine]
        } else {
            [sine, cosine]
        };
        Tensor::f_cat(&parts, 1)
    }
}
