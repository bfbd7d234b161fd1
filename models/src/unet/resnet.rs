//! The residual block of denoisers and autoencoders (He et al. 2016, with group normalisation before each kernel).

use tch::{TchError, Tensor};

use crate::layers::{Conv2d, GroupNorm, Linear};
use crate::weights::{Scope, WeightsError};

/// Norm, SiLU, kernel, twice, beside a shortcut; the timestep comes in between.
pub(crate) struct ResnetBlock2d {
    norm1: GroupNorm,
    conv1: Conv2d,
    time_emb_proj: Option<Linear>,
    norm2: GroupNorm,
    conv2: Conv2d,
    /// Where the numbers of channels differ.
    conv_shortcut: Option<Conv2d>,
}

/// What a residual block's owner knows.
#[derive(Clone, Copy)]
pub(crate) struct ResnetConfig {
    pub(crate) groups: i64,
    pub(crate) eps: f64,
    /// Width of the embedded timestep; none in an autoencoder.
    pub(crate) time_channels: Option<i64>,
}

impl ResnetBlock2d {
    pub(crate) fn load(
        scope: &Scope<'_>,
        inputs: i64,
        outputs: i64,
        config: ResnetConfig,
    ) -> Result<Self, WeightsError> {
        let norm =
            |name, channels| GroupNorm::load(&scope.sub(name), channels, config.groups, config.eps);
        let time_emb_proj = match config.time_channels {
            Some(width) => Some(Linear::load(&scope.sub("time_emb_proj"), width, outputs)?),
            None => None,
        };
        let conv_shortcut = if inputs == outputs {
            None
        } else {
            let scope = scope.sub("conv_shortcut");
            Some(Conv2d::load(&scope, inputs, outputs, 1)?)
        };
        Ok(Self {
            norm1: norm("norm1", inputs)?,
            conv1: Conv2d::load(&scope.sub("conv1"), inputs, outputs, 3)?,
            time_emb_proj,
            norm2: norm("norm2", outputs)?,
            conv2: Conv2d::load(&scope.sub("conv2"), outputs, outputs, 3)?,
            conv_shortcut,
        })
    }

    /// `picture` `[B, C, H, W]`; `emb` `[B, time_channels]`, activated, where the block has a place for it.
    pub(crate) fn forward(
        &self,
        picture: &Tensor,
        emb: Option<&Tensor>,
    ) -> Result<Tensor, TchError> {
        let mut hidden = self
            .conv1
            .forward(&self.norm1.forward(picture)?.f_silu_()?)?;
        if let (Some(project), Some(emb)) = (&self.time_emb_proj, emb) {
            let shift = project.forward(emb)?.f_unsqueeze(-1)?.f_unsqueeze(-1)?;
            hidden = hidden.f_add_(&shift)?;
        }
        let mut hidden = self
            .conv2
            .forward(&self.norm2.forward(&hidden)?.f_silu_()?)?;
        match &self.conv_shortcut {
            Some(conv) => hidden.f_add_(&conv.forward(picture)?),
            None => hidden.f_add_(picture),
        }
    }
}
