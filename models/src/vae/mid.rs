//! The innermost block of both halves.

use tch::{TchError, Tensor};

use super::{AutoencoderKlConfig, load_norm, load_resnets};
use crate::layers::{GroupNorm, Linear, attend, to_picture, to_sequence};
use crate::unet::resnet::ResnetBlock2d;
use crate::weights::{Scope, WeightsError};

/// A residual block, attention of the pixels over each other, a residual block.
pub(super) struct MidBlock {
    resnets: Vec<ResnetBlock2d>,
    attention: Option<Attention>,
}

impl MidBlock {
    pub(super) fn load(
        scope: &Scope<'_>,
        config: &AutoencoderKlConfig,
    ) -> Result<Self, WeightsError> {
        let channels = config.innermost();
        Ok(Self {
            resnets: load_resnets(scope, channels, channels, 2, config)?,
            attention: config
                .mid_block_add_attention
                .then(|| Attention::load(&scope.sub("attentions").sub(0), channels, config))
                .transpose()?,
        })
    }

    pub(super) fn forward(&self, picture: &Tensor) -> Result<Tensor, TchError> {
        let mut hidden = self.resnets[0].forward(picture, None)?;
        if let Some(attention) = &self.attention {
            hidden = attention.forward(&hidden)?;
        }
        self.resnets[1].forward(&hidden, None)
    }
}

/// Attention with one head, as wide as the picture has channels.
struct Attention {
    group_norm: GroupNorm,
    to_q: Linear,
    to_k: Linear,
    to_v: Linear,
    to_out: Linear,
}

impl Attention {
    fn load(
        scope: &Scope<'_>,
        channels: i64,
        config: &AutoencoderKlConfig,
    ) -> Result<Self, WeightsError> {
        let map = |scope: Scope<'_>| Linear::load(&scope, channels, channels);
        Ok(Self {
            group_norm: load_norm(&scope.sub("group_norm"), channels, config)?,
            to_q: map(scope.sub("to_q"))?,
            to_k: map(scope.sub("to_k"))?,
            to_v: map(scope.sub("to_v"))?,
            to_out: map(scope.sub("to_out").sub(0))?,
        })
    }

    fn forward(&self, picture: &Tensor) -> Result<Tensor, TchError> {
        let (_, _, height, width) = picture.size4()?;
        let sequence = to_sequence(&self.group_norm.forward(picture)?)?;
        let hidden = attend(
            &self.to_q.forward(&sequence)?,
            &self.to_k.forward(&sequence)?,
            &self.to_v.forward(&sequence)?,
            1,
        )?;
        to_picture(&self.to_out.forward(&hidden)?, height, width)?.f_add_(picture)
    }
}
