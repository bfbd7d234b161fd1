//! Where the picture reads the conditioning (Rombach et al. 2022, section 3.3).

use tch::{TchError, Tensor};

use super::config::TransformerConfig;
use crate::layers::{GroupNorm, LayerNorm, Linear, attend, to_picture, to_sequence};
use crate::weights::{Scope, WeightsError};

/// The epsilon that diffusers gives to the group normalisation before a transformer.
const GROUP_EPS: f64 = 1e-6;
/// The epsilon of its layer normalisations.
const LAYER_EPS: f64 = 1e-5;

/// A picture as a sequence of its pixels, through some transformer layers and back.
pub(crate) struct Transformer2d {
    norm: GroupNorm,
    proj_in: Linear,
    transformer_blocks: Vec<BasicTransformerBlock>,
    proj_out: Linear,
}

impl Transformer2d {
    pub(crate) fn load(
        scope: &Scope<'_>,
        channels: i64,
        config: &TransformerConfig,
    ) -> Result<Self, WeightsError> {
        let project = |name| {
            let scope = scope.sub(name);
            if config.linear {
                Linear::load(&scope, channels, channels)
            } else {
                Linear::load_pointwise(&scope, channels, channels)
            }
        };
        let blocks = scope.sub("transformer_blocks");
        Ok(Self {
            norm: GroupNorm::load(&scope.sub("norm"), channels, config.groups, GROUP_EPS)?,
            proj_in: project("proj_in")?,
            transformer_blocks: (0..config.layers)
                .map(|at| BasicTransformerBlock::load(&blocks.sub(at), channels, config))
                .collect::<Result<_, _>>()?,
            proj_out: project("proj_out")?,
        })
    }

    /// `picture` `[B, C, H, W]`, `conditioning` `[B, N, D]`.
    pub(crate) fn forward(
        &self,
        picture: &Tensor,
        conditioning: &Tensor,
    ) -> Result<Tensor, TchError> {
        let (_, _, height, width) = picture.size4()?;
        let mut hidden = self
            .proj_in
            .forward(&to_sequence(&self.norm.forward(picture)?)?)?;
        for block in &self.transformer_blocks {
            hidden = block.forward(&hidden, conditioning)?;
        }
        let hidden = self.proj_out.forward(&hidden)?;
        to_picture(&hidden, height, width)?.f_add_(picture)
    }
}

/// Attention of the pixels over each other, then over the conditioning, then a feed-forward.
struct BasicTransformerBlock {
    norm1: LayerNorm,
    attn1: Attention,
    norm2: LayerNorm,
    attn2: Attention,
    norm3: LayerNorm,
    ff: FeedForward,
}

impl BasicTransformerBlock {
    fn load(
        scope: &Scope<'_>,
        channels: i64,
        config: &TransformerConfig,
    ) -> Result<Self, WeightsError> {
        let norm = |name| LayerNorm::load(&scope.sub(name), channels, LAYER_EPS);
        let attention =
            |name, context| Attention::load(&scope.sub(name), channels, context, config.heads);
        Ok(Self {
            norm1: norm("norm1")?,
            attn1: attention("attn1", channels)?,
            norm2: norm("norm2")?,
            attn2: attention("attn2", config.conditioning)?,
            norm3: norm("norm3")?,
            ff: FeedForward::load(&scope.sub("ff"), channels)?,
        })
    }

    fn forward(&self, sequence: &Tensor, conditioning: &Tensor) -> Result<Tensor, TchError> {
        let normed = self.norm1.forward(sequence)?;
        let hidden = self.attn1.forward(&normed, &normed)?.f_add_(sequence)?;
        let normed = self.norm2.forward(&hidden)?;
        let hidden = self.attn2.forward(&normed, conditioning)?.f_add_(&hidden)?;
        let normed = self.norm3.forward(&hidden)?;
        self.ff.forward(&normed)?.f_add_(&hidden)
    }
}

/// Attention with several heads. `upcast_attention` of the configuration changes nothing here: the fused kernels
/// keep their scores in f32 for every kind.
struct Attention {
    to_q: Linear,
    to_k: Linear,
    to_v: Linear,
    to_out: Linear,
    heads: i64,
}

impl Attention {
    fn load(
        scope: &Scope<'_>,
        channels: i64,
        context: i64,
        heads: i64,
    ) -> Result<Self, WeightsError> {
        let map = |name, inputs| Linear::load_without_bias(&scope.sub(name), inputs, channels);
        Ok(Self {
            to_q: map("to_q", channels)?,
            to_k: map("to_k", context)?,
            to_v: map("to_v", context)?,
            to_out: Linear::load(&scope.sub("to_out").sub(0), channels, channels)?,
            heads,
        })
    }

    fn forward(&self, sequence: &Tensor, context: &Tensor) -> Result<Tensor, TchError> {
        let hidden = attend(
            &self.to_q.forward(sequence)?,
            &self.to_k.forward(context)?,
            &self.to_v.forward(context)?,
            self.heads,
        )?;
        self.to_out.forward(&hidden)
    }
}

/// A gated feed-forward, four times as wide inside (Shazeer 2020, GEGLU).
struct FeedForward {
    proj: Linear,
    out: Linear,
    width: i64,
}

impl FeedForward {
    fn load(scope: &Scope<'_>, channels: i64) -> Result<Self, WeightsError> {
        let net = scope.sub("net");
        let width = 4 * channels;
        Ok(Self {
            proj: Linear::load(&net.sub(0).sub("proj"), channels, 2 * width)?,
            out: Linear::load(&net.sub(2), width, channels)?,
            width,
        })
    }

    fn forward(&self, sequence: &Tensor) -> Result<Tensor, TchError> {
        // Two dense halves instead of one result cut in two: on the CPU gating strided halves took half of the time.
        let mut gate = self.proj.forward_rows(sequence, self.width, self.width)?;
        let mut hidden = self.proj.forward_rows(sequence, 0, self.width)?;
        self.out.forward(&hidden.f_mul_(&gate.f_gelu_("none")?)?)
    }
}
