//! Text to conditioning: the text half of CLIP, <https://arxiv.org/abs/2103.00020>, as its `config.json` says.
//!
//! ViT-L/14 of Stable Diffusion 1.x (12 layers, `quick_gelu`) and OpenCLIP-H of 2.x and SD-Turbo (23 layers, `gelu`).
//! What the denoiser reads is the last layer's output after the final norm. Reference: `CLIPTextModel` of transformers.
//! The half that sees is [`ClipVision`].

mod layer;
mod vision;

use serde::Deserialize;
use tch::{TchError, Tensor};

use crate::layers::LayerNorm;
use crate::weights::{Scope, WeightsError};
use layer::{Encoder, Shape};

pub use vision::{ClipVision, ClipVisionConfig};

/// A text encoder's `config.json`, with the defaults of transformers' `CLIPTextConfig`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct ClipConfig {
    /// Tokens that have an embedding.
    pub vocab_size: i64,
    /// D, the width of the conditioning: 768 for ViT-L/14, 1024 for OpenCLIP-H.
    pub hidden_size: i64,
    /// Width inside the two-layer perceptrons.
    pub intermediate_size: i64,
    /// How many layers run.
    pub num_hidden_layers: i64,
    /// Heads of each attention.
    pub num_attention_heads: i64,
    /// Tokens of a prompt, start and end included: 77.
    pub max_position_embeddings: i64,
    /// `quick_gelu` or `gelu`.
    pub hidden_act: String,
    /// Added to the variance in each norm.
    pub layer_norm_eps: f64,
}

impl Default for ClipConfig {
    fn default() -> Self {
        Self {
            vocab_size: 49408,
            hidden_size: 512,
            intermediate_size: 2048,
            num_hidden_layers: 12,
            num_attention_heads: 8,
            max_position_embeddings: 77,
            hidden_act: "quick_gelu".to_owned(),
            layer_norm_eps: 1e-5,
        }
    }
}

impl ClipConfig {
    /// Each token sees itself and those before it, padding too: the networks were trained without a mask for it.
    fn shape(&self) -> Shape<'_> {
        Shape {
            width: self.hidden_size,
            inner: self.intermediate_size,
            layers: self.num_hidden_layers,
            heads: self.num_attention_heads,
            activation: &self.hidden_act,
            eps: self.layer_norm_eps,
            causal: true,
        }
    }
}

/// A loaded text encoder.
pub struct ClipText {
    tokens: Tensor,
    positions: Tensor,
    encoder: Encoder,
    norm: LayerNorm,
}

impl ClipText {
    /// What the files may hold beside the weights: the numbers 0 to 76, which older files saved as a buffer.
    pub const IGNORED: &'static [&'static str] = &["position_ids"];

    /// Builds the encoder from the root of its weights, prefix `text_model.` or none.
    ///
    /// # Errors
    /// When the config asks for an activation that is not built, or a tensor is missing or of another shape.
    pub fn load(scope: &Scope<'_>, config: &ClipConfig) -> Result<Self, WeightsError> {
        let width = config.hidden_size;
        let embeddings = scope.sub("embeddings");
        Ok(Self {
            tokens: embeddings
                .sub("token_embedding")
                .tensor("weight", &[config.vocab_size, width])?,
            positions: embeddings
                .sub("position_embedding")
                .tensor("weight", &[config.max_position_embeddings, width])?,
            encoder: Encoder::load(&scope.sub("encoder"), &config.shape())?,
            norm: LayerNorm::load(&scope.sub("final_layer_norm"), width, config.layer_norm_eps)?,
        })
    }

    /// The conditioning of token ids `[B, N]` (int64, any device, N at most `max_position_embeddings`): `[B, N, D]` in
    /// the kind and on the device of the weights.
    ///
    /// # Errors
    /// When torch refuses: an id beyond the vocabulary, more tokens than positions, no memory.
    pub fn forward(&self, ids: &Tensor) -> Result<Tensor, TchError> {
        let ids = ids.f_to_device(self.tokens.device())?;
        let (_, length) = ids.size2()?;
        let positions = self.positions.f_narrow(0, 0, length)?;
        let hidden =
            Tensor::f_embedding(&self.tokens, &ids, -1, false, false)?.f_add(&positions)?;
        self.norm.forward(&self.encoder.forward(&hidden)?)
    }
}
