//! The half of a denoiser that goes down: a ControlNet is a copy of it.

use tch::{TchError, Tensor};

use super::blocks::{DownBlock, MidBlock};
use super::config::DescentConfig;
use super::embedding::TimestepEmbedding;
use super::resnet::ResnetConfig;
use crate::layers::Conv2d;
use crate::weights::{Scope, WeightsError};

/// From the latent to the innermost block.
pub(crate) struct Descent {
    pub(crate) time_embedding: TimestepEmbedding,
    pub(crate) conv_in: Conv2d,
    down_blocks: Vec<DownBlock>,
    mid_block: MidBlock,
    /// Channels of each residual, in order of making.
    pub(crate) channels: Vec<i64>,
}

impl Descent {
    pub(crate) fn load(scope: &Scope<'_>, config: &DescentConfig) -> Result<Self, WeightsError> {
        config.check()?;
        let resnet = Self::resnet(config);
        let types = &config.down_block_types;
        let blocks = config.blocks(
            types,
            "down_block_types",
            "CrossAttnDownBlock2D",
            "DownBlock2D",
        )?;
        let innermost = blocks.len() - 1;
        let mut inputs = config.block_out_channels[0];
        let mut channels = vec![inputs];
        let mut down_blocks = Vec::with_capacity(blocks.len());
        for (at, block) in blocks.iter().enumerate() {
            let halves = at < innermost;
            let scope = scope.sub("down_blocks").sub(at);
            down_blocks.push(DownBlock::load(&scope, inputs, block, resnet, halves)?);
            inputs = block.channels;
            let pushed = block.layers as usize + usize::from(halves);
            channels.extend(std::iter::repeat_n(inputs, pushed));
        }
        let transformer = config.transformer(innermost)?;
        Ok(Self {
            time_embedding: TimestepEmbedding::load(&scope.sub("time_embedding"), config)?,
            conv_in: Conv2d::load(
                &scope.sub("conv_in"),
                config.in_channels,
                config.block_out_channels[0],
                3,
            )?,
            down_blocks,
            mid_block: MidBlock::load(&scope.sub("mid_block"), inputs, &transformer, resnet)?,
            channels,
        })
    }

    /// What all residual blocks of the network have in common.
    pub(crate) fn resnet(config: &DescentConfig) -> ResnetConfig {
        ResnetConfig {
            groups: config.norm_num_groups,
            eps: config.norm_eps,
            time_channels: Some(config.time_channels()),
        }
    }

    /// `hidden` is what comes out of `conv_in`. Returns the innermost picture, and the residuals in order of making.
    pub(crate) fn forward(
        &self,
        hidden: Tensor,
        emb: &Tensor,
        conditioning: &Tensor,
    ) -> Result<(Tensor, Vec<Tensor>), TchError> {
        let mut residuals = vec![hidden.shallow_clone()];
        let mut hidden = hidden;
        for block in &self.down_blocks {
            hidden = block.forward(hidden, emb, conditioning, &mut residuals)?;
        }
        let innermost = self.mid_block.forward(&hidden, emb, conditioning)?;
        Ok((innermost, residuals))
    }
}
