//! The denoiser: `UNet2DConditionModel` as its configuration says (Rombach et al. 2022; Ronneberger et al. 2015).
//!
//! ```text
//!   latent ─► conv_in ─► down blocks ─► mid block ─► up blocks ─► conv_out ─► prediction
//!                │ residuals   │            ▲           ▲
//!                └─────────────┴────────────┼───────────┘   + a ControlNet's, where there is one
//!   timestep ─► embed_time ─► every residual block    conditioning ─► every transformer
//! ```
//!
//! Modules and fields are named like the checkpoint's keys.

mod attention;
mod blocks;
mod config;
mod descent;
mod embedding;
pub(crate) mod resnet;

use tch::{TchError, Tensor};

pub use config::{DescentConfig, UnetConfig};

pub(crate) use descent::Descent;

use crate::layers::{Conv2d, GroupNorm};
use crate::weights::{Scope, WeightsError};
use blocks::UpBlock;

/// What a ControlNet adds to a denoiser.
pub struct Residuals {
    /// To each of the denoiser's residuals, in order of making: `[B, C, H, W]` each.
    pub down: Vec<Tensor>,
    /// To the innermost picture.
    pub mid: Tensor,
}

/// The denoiser. Call it under [`tch::no_grad`], with tensors of the kind and on the device of its weights.
pub struct Unet {
    descent: Descent,
    up_blocks: Vec<UpBlock>,
    conv_norm_out: GroupNorm,
    conv_out: Conv2d,
}

impl Unet {
    /// Reads the network from the root of its component.
    ///
    /// # Errors
    ///
    /// [`WeightsError::Config`] for an option or a block that is not built; else as [`Scope::tensor`].
    pub fn load(scope: &Scope<'_>, config: &UnetConfig) -> Result<Self, WeightsError> {
        let descent = Descent::load(scope, &config.descent)?;
        // The blocks stand in the configuration from the innermost, everything else from the outermost.
        let mut types = config.up_block_types.clone();
        types.reverse();
        let mut blocks =
            config
                .descent
                .blocks(&types, "up_block_types", "CrossAttnUpBlock2D", "UpBlock2D")?;
        blocks.reverse();

        let resnet = Descent::resnet(&config.descent);
        let outermost = blocks.len() - 1;
        let mut skips = descent.channels.clone();
        let mut inputs = blocks[0].channels;
        let mut up_blocks = Vec::with_capacity(blocks.len());
        for (at, block) in blocks.iter().enumerate() {
            // Each level has pushed one residual more than it has layers.
            let mut taken = skips.split_off(skips.len() - (block.layers as usize + 1));
            taken.reverse();
            let scope = scope.sub("up_blocks").sub(at);
            let doubles = at < outermost;
            up_blocks.push(UpBlock::load(
                &scope, inputs, &taken, block, resnet, doubles,
            )?);
            inputs = block.channels;
        }
        Ok(Self {
            descent,
            up_blocks,
            conv_norm_out: GroupNorm::load(
                &scope.sub("conv_norm_out"),
                inputs,
                resnet.groups,
                resnet.eps,
            )?,
            conv_out: Conv2d::load(&scope.sub("conv_out"), inputs, config.out_channels, 3)?,
        })
    }

    /// Embeds `timesteps` `[B]` or `[1]`, of any kind, and for a latent consistency model the embedded guidance
    /// `[B, time_cond_proj_dim]`, which may be left out; other networks pass over it.
    ///
    /// Returns `[B, 4 C]` for [`Unet::forward`] of this network alone. It depends on nothing else, so keep it for as
    /// long as the timesteps stay.
    ///
    /// # Errors
    ///
    /// What torch refuses: memory, or another shape.
    pub fn embed_time(
        &self,
        timesteps: &Tensor,
        guidance: Option<&Tensor>,
    ) -> Result<Tensor, TchError> {
        self.descent.time_embedding.forward(timesteps, guidance)
    }

    /// Predicts noise, or v, as the checkpoint was trained: `sample` `[B, 4, H/8, W/8]` of any size, `emb` of
    /// [`Unet::embed_time`] `[B, 4 C]` or `[1, 4 C]`, `conditioning` `[B, N, cross_attention_dim]`.
    /// Returns `[B, 4, H/8, W/8]`. Nothing is read back from the device.
    ///
    /// # Errors
    ///
    /// What torch refuses: memory, or another shape.
    pub fn forward(
        &self,
        sample: &Tensor,
        emb: &Tensor,
        conditioning: &Tensor,
        residuals: Option<&Residuals>,
    ) -> Result<Tensor, TchError> {
        let hidden = self.descent.conv_in.forward(sample)?;
        let (mut hidden, mut skips) = self.descent.forward(hidden, emb, conditioning)?;
        if let Some(control) = residuals {
            // In place: nobody else holds them, and the innermost block has read its own already.
            for (skip, add) in skips.iter_mut().zip(&control.down) {
                let _ = skip.f_add_(add)?;
            }
            hidden = hidden.f_add_(&control.mid)?;
        }
        for block in &self.up_blocks {
            hidden = block.forward(hidden, emb, conditioning, &mut skips)?;
        }
        self.conv_out
            .forward(&self.conv_norm_out.forward(&hidden)?.f_silu_()?)
    }
}
