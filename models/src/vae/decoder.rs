//! From a latent to its picture.

use tch::{TchError, Tensor};

use super::mid::MidBlock;
use super::{AutoencoderKlConfig, load_norm, load_resnets};
use crate::layers::{Conv2d, GroupNorm};
use crate::unet::resnet::ResnetBlock2d;
use crate::weights::{Scope, WeightsError};

/// Up to eight times the latent's size.
pub(super) struct Decoder {
    conv_in: Conv2d,
    mid_block: MidBlock,
    up_blocks: Vec<UpBlock>,
    conv_norm_out: GroupNorm,
    conv_out: Conv2d,
}

impl Decoder {
    pub(super) fn load(
        scope: &Scope<'_>,
        config: &AutoencoderKlConfig,
    ) -> Result<Self, WeightsError> {
        let channels = &config.block_out_channels;
        let innermost = config.innermost();
        let mut inputs = innermost;
        let mut up_blocks = Vec::with_capacity(channels.len());
        for (at, &outputs) in channels.iter().rev().enumerate() {
            let scope = scope.sub("up_blocks").sub(at);
            let layers = config.layers_per_block + 1;
            let resnets = load_resnets(&scope, inputs, outputs, layers, config)?;
            let upsampler = (at + 1 < channels.len())
                .then(|| {
                    let scope = scope.sub("upsamplers").sub(0).sub("conv");
                    Conv2d::load(&scope, outputs, outputs, 3)
                })
                .transpose()?;
            up_blocks.push(UpBlock { resnets, upsampler });
            inputs = outputs;
        }
        let conv = |name, inputs, outputs| Conv2d::load(&scope.sub(name), inputs, outputs, 3);
        Ok(Self {
            conv_in: conv("conv_in", config.latent_channels, innermost)?,
            mid_block: MidBlock::load(&scope.sub("mid_block"), config)?,
            up_blocks,
            conv_norm_out: load_norm(&scope.sub("conv_norm_out"), channels[0], config)?,
            conv_out: conv("conv_out", channels[0], config.out_channels)?,
        })
    }

    pub(super) fn forward(&self, latent: &Tensor) -> Result<Tensor, TchError> {
        let mut hidden = self.mid_block.forward(&self.conv_in.forward(latent)?)?;
        for block in &self.up_blocks {
            for resnet in &block.resnets {
                hidden = resnet.forward(&hidden, None)?;
            }
            if let Some(conv) = &block.upsampler {
                let (_, _, height, width) = hidden.size4()?;
                let doubled = hidden.f_upsample_nearest2d([2 * height, 2 * width], None, None)?;
                hidden = conv.forward(&doubled)?;
            }
        }
        self.conv_out
            .forward(&self.conv_norm_out.forward(&hidden)?.f_silu_()?)
    }
}

struct UpBlock {
    resnets: Vec<ResnetBlock2d>,
    upsampler: Option<Conv2d>,
}
