//! Residual blocks and transformers, strung together at one size of the picture.

use tch::{TchError, Tensor};

use super::attention::Transformer2d;
use super::config::{BlockConfig, TransformerConfig};
use super::resnet::{ResnetBlock2d, ResnetConfig};
use crate::layers::Conv2d;
use crate::weights::{Scope, WeightsError};

/// `DownBlock2D`, or `CrossAttnDownBlock2D` where it has transformers.
pub(crate) struct DownBlock {
    resnets: Vec<ResnetBlock2d>,
    /// One for each residual block, or none.
    attentions: Vec<Transformer2d>,
    downsampler: Option<Conv2d>,
}

impl DownBlock {
    pub(crate) fn load(
        scope: &Scope<'_>,
        inputs: i64,
        config: &BlockConfig,
        resnet: ResnetConfig,
        halves: bool,
    ) -> Result<Self, WeightsError> {
        let resnets = scope.sub("resnets");
        let channels = config.channels;
        let downsampler = if halves {
            let scope = scope.sub("downsamplers").sub(0).sub("conv");
            Some(Conv2d::load(&scope, channels, channels, 3)?.halving())
        } else {
            None
        };
        Ok(Self {
            resnets: (0..config.layers)
                .map(|at| {
                    let inputs = if at == 0 { inputs } else { channels };
                    ResnetBlock2d::load(&resnets.sub(at), inputs, channels, resnet)
                })
                .collect::<Result<_, _>>()?,
            attentions: load_attentions(scope, config.layers, channels, &config.transformer)?,
            downsampler,
        })
    }

    /// Pushes what the way up will want, one tensor for each residual block and one for the halved picture.
    pub(crate) fn forward(
        &self,
        mut hidden: Tensor,
        emb: &Tensor,
        conditioning: &Tensor,
        residuals: &mut Vec<Tensor>,
    ) -> Result<Tensor, TchError> {
        for (at, resnet) in self.resnets.iter().enumerate() {
            hidden = resnet.forward(&hidden, Some(emb))?;
            if let Some(attention) = self.attentions.get(at) {
                hidden = attention.forward(&hidden, conditioning)?;
            }
            residuals.push(hidden.shallow_clone());
        }
        if let Some(conv) = &self.downsampler {
            hidden = conv.forward(&hidden)?;
            residuals.push(hidden.shallow_clone());
        }
        Ok(hidden)
    }
}

/// `UNetMidBlock2DCrossAttn`: a residual block, a transformer, a residual block.
pub(crate) struct MidBlock {
    resnets: [ResnetBlock2d; 2],
    attention: Transformer2d,
}

impl MidBlock {
    pub(crate) fn load(
        scope: &Scope<'_>,
        channels: i64,
        config: &TransformerConfig,
        resnet: ResnetConfig,
    ) -> Result<Self, WeightsError> {
        let load =
            |at| ResnetBlock2d::load(&scope.sub("resnets").sub(at), channels, channels, resnet);
        Ok(Self {
            resnets: [load(0)?, load(1)?],
            attention: Transformer2d::load(&scope.sub("attentions").sub(0), channels, config)?,
        })
    }

    pub(crate) fn forward(
        &self,
        hidden: &Tensor,
        emb: &Tensor,
        conditioning: &Tensor,
    ) -> Result<Tensor, TchError> {
        let hidden = self.resnets[0].forward(hidden, Some(emb))?;
        let hidden = self.attention.forward(&hidden, conditioning)?;
        self.resnets[1].forward(&hidden, Some(emb))
    }
}

/// `UpBlock2D`, or `CrossAttnUpBlock2D` where it has transformers.
pub(crate) struct UpBlock {
    resnets: Vec<ResnetBlock2d>,
    /// One for each residual block, or none.
    attentions: Vec<Transformer2d>,
    upsampler: Option<Conv2d>,
}

impl UpBlock {
    /// `skips` are the channels that each residual block takes over from the way down, in order of use.
    pub(crate) fn load(
        scope: &Scope<'_>,
        inputs: i64,
        skips: &[i64],
        config: &BlockConfig,
        resnet: ResnetConfig,
        doubles: bool,
    ) -> Result<Self, WeightsError> {
        let resnets = scope.sub("resnets");
        let channels = config.channels;
        let layers = skips.len() as i64;
        let upsampler = if doubles {
            let scope = scope.sub("upsamplers").sub(0).sub("conv");
            Some(Conv2d::load(&scope, channels, channels, 3)?)
        } else {
            None
        };
        Ok(Self {
            resnets: skips
                .iter()
                .enumerate()
                .map(|(at, skip)| {
                    let inputs = if at == 0 { inputs } else { channels };
                    ResnetBlock2d::load(&resnets.sub(at), inputs + skip, channels, resnet)
                })
                .collect::<Result<_, _>>()?,
            attentions: load_attentions(scope, layers, channels, &config.transformer)?,
            upsampler,
        })
    }

    /// Pops what the way down has pushed. The picture grows to the size of the next residual, which for sizes that
    /// do not halve evenly is one less than twice its own: what diffusers calls `upsample_size`.
    pub(crate) fn forward(
        &self,
        mut hidden: Tensor,
        emb: &Tensor,
        conditioning: &Tensor,
        residuals: &mut Vec<Tensor>,
    ) -> Result<Tensor, TchError> {
        for (at, resnet) in self.resnets.iter().enumerate() {
            if let Some(residual) = residuals.pop() {
                hidden = Tensor::f_cat(&[hidden, residual], 1)?;
            }
            hidden = resnet.forward(&hidden, Some(emb))?;
            if let Some(attention) = self.attentions.get(at) {
                hidden = attention.forward(&hidden, conditioning)?;
            }
        }
        if let (Some(conv), Some(next)) = (&self.upsampler, residuals.last()) {
            let (_, _, height, width) = next.size4()?;
            hidden = conv.forward(&hidden.f_upsample_nearest2d([height, width], None, None)?)?;
        }
        Ok(hidden)
    }
}

fn load_attentions(
    scope: &Scope<'_>,
    count: i64,
    channels: i64,
    config: &Option<TransformerConfig>,
) -> Result<Vec<Transformer2d>, WeightsError> {
    let Some(config) = config else {
        return Ok(Vec::new());
    };
    let scope = scope.sub("attentions");
    (0..count)
        .map(|at| Transformer2d::load(&scope.sub(at), channels, config))
        .collect()
}
