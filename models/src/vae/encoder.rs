//! From a picture to the moments of its latent.

use tch::{TchError, Tensor};

use super::mid::MidBlock;
use super::{AutoencoderKlConfig, load_norm, load_resnets};
use crate::layers::{Conv2d, GroupNorm};
use crate::unet::resnet::ResnetBlock2d;
use crate::weights::{Scope, WeightsError};

/// Down to an eighth of the picture's size.
pub(super) struct Encoder {
    conv_in: Conv2d,
    down_blocks: Vec<DownBlock>,
    mid_block: MidBlock,
    conv_norm_out: GroupNorm,
    conv_out: Conv2d,
}

impl Encoder {
    pub(super) fn load(
        scope: &Scope<'_>,
        config: &AutoencoderKlConfig,
    ) -> Result<Self, WeightsError> {
        let channels = &config.block_out_channels;
        let innermost = config.innermost();
        let mut inputs = channels[0];
        let mut down_blocks = Vec::with_capacity(channels.len());
        for (at, &outputs) in channels.iter().enumerate() {
            let scope = scope.sub("down_blocks").sub(at);
            let resnets = load_resnets(&scope, inputs, outputs, config.layers_per_block, config)?;
            let downsampler = (at + 1 < channels.len())
                .then(|| {
                    let scope = scope.sub("downsamplers").sub(0).sub("conv");
                    Conv2d::load(&scope, outputs, outputs, 3)
                })
                .transpose()?
                .map(|conv| conv.halving().unpadded());
            down_blocks.push(DownBlock {
                resnets,
                downsampler,
            });
            inputs = outputs;
        }
        let conv = |name, inputs, outputs| Conv2d::load(&scope.sub(name), inputs, outputs, 3);
        Ok(Self {
            conv_in: conv("conv_in", config.in_channels, channels[0])?,
            down_blocks,
            mid_block: MidBlock::load(&scope.sub("mid_block"), config)?,
            conv_norm_out: load_norm(&scope.sub("conv_norm_out"), innermost, config)?,
            conv_out: conv("conv_out", innermost, 2 * config.latent_channels)?,
        })
    }

    pub(super) fn forward(&self, picture: &Tensor) -> Result<Tensor, TchError> {
        let mut hidden = self.conv_in.forward(picture)?;
        for block in &self.down_blocks {
            for resnet in &block.resnets {
                hidden = resnet.forward(&hidden, None)?;
            }
            if let Some(conv) = &block.downsampler {
                // One row below and one column to the right, and no more.
                hidden = conv.forward(&hidden.f_constant_pad_nd([0, 1, 0, 1])?)?;
            }
        }
        let hidden = self.mid_block.forward(&hidden)?;
        self.conv_out
            .forward(&self.conv_norm_out.forward(&hidden)?.f_silu_()?)
    }
}

struct DownBlock {
    resnets: Vec<ResnetBlock2d>,
    downsampler: Option<Conv2d>,
}
