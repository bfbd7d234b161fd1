//! Pictures to one vector each: the half of CLIP that sees. Reference: `CLIPVisionModel` of transformers.

use serde::Deserialize;
use tch::{TchError, Tensor};

use super::layer::{Encoder, Shape};
use crate::layers::{Conv2d, LayerNorm, to_sequence};
use crate::weights::{Scope, WeightsError};

/// A vision encoder's configuration, with the defaults of transformers' `CLIPVisionConfig`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub struct ClipVisionConfig {
    /// D, the width of the pooled state: 1024 for ViT-L/14.
    pub hidden_size: i64,
    /// Width inside the two-layer perceptrons.
    pub intermediate_size: i64,
    /// How many layers run.
    pub num_hidden_layers: i64,
    /// Heads of each attention.
    pub num_attention_heads: i64,
    /// Channels of a picture; 3 is what is built.
    pub num_channels: i64,
    /// S, the side of a picture in pixels.
    pub image_size: i64,
    /// The side of a patch in pixels; a picture is cut into `(S / patch)²` of them.
    pub patch_size: i64,
    /// `quick_gelu` or `gelu`.
    pub hidden_act: String,
    /// Added to the variance in each norm.
    pub layer_norm_eps: f64,
}

impl Default for ClipVisionConfig {
    fn default() -> Self {
        Self {
            hidden_size: 768,
            intermediate_size: 3072,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            num_channels: 3,
            image_size: 224,
            patch_size: 32,
            hidden_act: "quick_gelu".to_owned(),
            layer_norm_eps: 1e-5,
        }
    }
}

impl ClipVisionConfig {
    fn shape(&self) -> Shape<'_> {
        Shape {
            width: self.hidden_size,
            inner: self.intermediate_size,
            layers: self.num_hidden_layers,
            heads: self.num_attention_heads,
            activation: &self.hidden_act,
            eps: self.layer_norm_eps,
            causal: false,
        }
    }
}

/// A loaded vision encoder.
pub struct ClipVision {
    class: Tensor,
    patches: Conv2d,
    positions: Tensor,
    before: LayerNorm,
    encoder: Encoder,
    after: LayerNorm,
}

impl ClipVision {
    /// Builds the encoder from its scope, where `embeddings`, `encoder` and the two norms lie.
    ///
    /// # Errors
    /// When the config asks for what is not built, or a tensor is missing or of another shape.
    pub fn load(scope: &Scope<'_>, config: &ClipVisionConfig) -> Result<Self, WeightsError> {
        let (width, patch) = (config.hidden_size, config.patch_size);
        if config.num_channels != 3 {
            let reason = "where 3 is known".to_owned();
            return Err(WeightsError::config(
                "num_channels",
                config.num_channels,
                reason,
            ));
        }
        if patch < 1 || config.image_size < patch {
            let reason = format!("where 1 to image_size {} is possible", config.image_size);
            return Err(WeightsError::config("patch_size", patch, reason));
        }
        let (embeddings, eps) = (scope.sub("embeddings"), config.layer_norm_eps);
        let places = (config.image_size / patch).pow(2) + 1;
        let patches =
            Conv2d::load_without_bias(&embeddings.sub("patch_embedding"), 3, width, patch)?;
        Ok(Self {
            class: embeddings.tensor("class_embedding", &[width])?,
            patches: patches.side_by_side(patch),
            positions: embeddings
                .sub("position_embedding")
                .tensor("weight", &[places, width])?,
            // The reference spells it so.
            before: LayerNorm::load(&scope.sub("pre_layrnorm"), width, eps)?,
            encoder: Encoder::load(&scope.sub("encoder"), &config.shape())?,
            after: LayerNorm::load(&scope.sub("post_layernorm"), width, eps)?,
        })
    }

    /// The pooled state `[B, D]` of normalised pictures `[B, 3, S, S]` in the kind of the weights: what the class token
    /// has become, after the last norm.
    ///
    /// # Errors
    /// When torch refuses: another size, no memory.
    pub fn forward(&self, pictures: &Tensor) -> Result<Tensor, TchError> {
        let patches = to_sequence(&self.patches.forward(pictures)?)?;
        let (batch, _, width) = patches.size3()?;
        let class = self.class.f_expand([batch, 1, width], false)?;
        let hidden = Tensor::f_cat(&[class, patches], 1)?.f_add(&self.positions)?;
        let hidden = self.encoder.forward(&self.before.forward(&hidden)?)?;
        self.after.forward(&hidden.f_select(1, 0)?)
    }
}
