//! The side network that a picture of edges steers the denoiser with (Zhang, Rao and Agrawala 2023).

use serde::Deserialize;
use tch::{TchError, Tensor};

use crate::layers::Conv2d;
use crate::unet::{Descent, DescentConfig, Residuals};
use crate::weights::{Scope, WeightsError};

/// A ControlNet's `config.json` (diffusers, `ControlNetModel`).
#[derive(Clone, Debug, Deserialize)]
pub struct ControlNetConfig {
    /// The denoiser's half that it copies.
    #[serde(flatten)]
    pub descent: DescentConfig,
    /// Channels on the way from the picture of edges to the latent's size.
    #[serde(default = "hint_channels")]
    pub conditioning_embedding_out_channels: Vec<i64>,
}

fn hint_channels() -> Vec<i64> {
    vec![16, 32, 96, 256]
}

/// A ControlNet. Call it under [`tch::no_grad`], with tensors of the kind and on the device of its weights.
pub struct ControlNet {
    descent: Descent,
    controlnet_cond_embedding: HintEmbedding,
    controlnet_down_blocks: Vec<Conv2d>,
    controlnet_mid_block: Conv2d,
}

impl ControlNet {
    /// Reads the network from the root of its component.
    ///
    /// # Errors
    ///
    /// [`WeightsError::Config`] for an option or a block that is not built; else as [`Scope::tensor`].
    pub fn load(scope: &Scope<'_>, config: &ControlNetConfig) -> Result<Self, WeightsError> {
        let descent = Descent::load(scope, &config.descent)?;
        let zeros = scope.sub("controlnet_down_blocks");
        let innermost = descent.channels[descent.channels.len() - 1];
        Ok(Self {
            controlnet_cond_embedding: HintEmbedding::load(
                &scope.sub("controlnet_cond_embedding"),
                &config.conditioning_embedding_out_channels,
                config.descent.block_out_channels[0],
            )?,
            controlnet_down_blocks: descent
                .channels
                .iter()
                .enumerate()
                .map(|(at, &channels)| Conv2d::load(&zeros.sub(at), channels, channels, 1))
                .collect::<Result<_, _>>()?,
            controlnet_mid_block: Conv2d::load(
                &scope.sub("controlnet_mid_block"),
                innermost,
                innermost,
                1,
            )?,
            descent,
        })
    }

    /// As [`crate::unet::Unet::embed_time`], by this network's own weights.
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

    /// Brings the picture of edges `[B, 3, H, W]`, RGB in 0..1, to `[B, C, H/8, W/8]`. The same for every step of a
    /// frame.
    ///
    /// # Errors
    ///
    /// What torch refuses: memory, or another shape.
    pub fn embed_hint(&self, edges: &Tensor) -> Result<Tensor, TchError> {
        self.controlnet_cond_embedding.forward(edges)
    }

    /// What to add to the denoiser: `sample`, `emb` and `conditioning` as in [`crate::unet::Unet::forward`], `hint`
    /// of [`ControlNet::embed_hint`], and `scale`, one number or `[B, 1, 1, 1]`, in the kind of the weights.
    ///
    /// # Errors
    ///
    /// What torch refuses: memory, or another shape.
    pub fn forward(
        &self,
        sample: &Tensor,
        emb: &Tensor,
        conditioning: &Tensor,
        hint: &Tensor,
        scale: &Tensor,
    ) -> Result<Residuals, TchError> {
        let hidden = self.descent.conv_in.forward(sample)?.f_add_(hint)?;
        let (innermost, residuals) = self.descent.forward(hidden, emb, conditioning)?;
        let down = residuals
            .iter()
            .zip(&self.controlnet_down_blocks)
            .map(|(residual, conv)| conv.forward(residual)?.f_mul_(scale))
            .collect::<Result<_, _>>()?;
        Ok(Residuals {
            down,
            mid: self
                .controlnet_mid_block
                .forward(&innermost)?
                .f_mul_(scale)?,
        })
    }
}

/// Kernels with SiLU in between, every second one halving.
struct HintEmbedding {
    conv_in: Conv2d,
    blocks: Vec<Conv2d>,
    conv_out: Conv2d,
}

impl HintEmbedding {
    fn load(scope: &Scope<'_>, channels: &[i64], outputs: i64) -> Result<Self, WeightsError> {
        let (Some(first), Some(last)) = (channels.first(), channels.last()) else {
            return Err(WeightsError::config(
                "conditioning_embedding_out_channels",
                channels,
                "where at least one number is needed",
            ));
        };
        let scopes = scope.sub("blocks");
        let mut blocks = Vec::new();
        for (at, pair) in channels.windows(2).enumerate() {
            blocks.push(Conv2d::load(&scopes.sub(2 * at), pair[0], pair[0], 3)?);
            blocks.push(Conv2d::load(&scopes.sub(2 * at + 1), pair[0], pair[1], 3)?.halving());
        }
        Ok(Self {
            conv_in: Conv2d::load(&scope.sub("conv_in"), 3, *first, 3)?,
            blocks,
            conv_out: Conv2d::load(&scope.sub("conv_out"), *last, outputs, 3)?,
        })
    }

    fn forward(&self, edges: &Tensor) -> Result<Tensor, TchError> {
        let mut hidden = self.conv_in.forward(edges)?.f_silu_()?;
        for conv in &self.blocks {
            hidden = conv.forward(&hidden)?.f_silu_()?;
        }
        self.conv_out.forward(&hidden)
    }
}
