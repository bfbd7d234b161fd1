//! Text to conditioning: the text half of CLIP, <https://arxiv.org/abs/2103.00020>, as its `config.json` says.
//!
//! ViT-L/14 of Stable Diffusion 1.x (12 layers, `quick_gelu`) and OpenCLIP-H of 2.x and SD-Turbo (23 layers, `gelu`).
//! What the denoiser reads is the last layer's output after the final norm. Reference: `CLIPTextModel` of transformers.

use serde::Deserialize;
use tch::{TchError, Tensor};

use crate::layers::{LayerNorm, Linear};
use crate::weights::{Scope, WeightsError};

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

#[derive(Debug, Clone, Copy)]
enum Activation {
    /// `x * sigmoid(1.702 x)`, OpenAI's.
    QuickGelu,
    /// By the error function.
    Gelu,
}

impl Activation {
    fn named(name: &str) -> Result<Self, WeightsError> {
        match name {
            "quick_gelu" => Ok(Self::QuickGelu),
            "gelu" => Ok(Self::Gelu),
            other => Err(WeightsError::config(
                "hidden_act",
                other,
                "where `quick_gelu` or `gelu` is known",
            )),
        }
    }

    fn forward(self, x: &Tensor) -> Result<Tensor, TchError> {
        match self {
            Self::QuickGelu => x.f_mul(&x.f_mul_scalar(1.702)?.f_sigmoid()?),
            Self::Gelu => x.f_gelu("none"),
        }
    }
}

struct Layer {
    norm1: LayerNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
    heads: i64,
    norm2: LayerNorm,
    up: Linear,
    activation: Activation,
    down: Linear,
}

impl Layer {
    fn load(
        scope: &Scope<'_>,
        config: &ClipConfig,
        activation: Activation,
    ) -> Result<Self, WeightsError> {
        let (width, inner, eps) = (
            config.hidden_size,
            config.intermediate_size,
            config.layer_norm_eps,
        );
        let attention = scope.sub("self_attn");
        let mlp = scope.sub("mlp");
        Ok(Self {
            norm1: LayerNorm::load(&scope.sub("layer_norm1"), width, eps)?,
            query: Linear::load(&attention.sub("q_proj"), width, width)?,
            key: Linear::load(&attention.sub("k_proj"), width, width)?,
            value: Linear::load(&attention.sub("v_proj"), width, width)?,
            out: Linear::load(&attention.sub("out_proj"), width, width)?,
            heads: config.num_attention_heads,
            norm2: LayerNorm::load(&scope.sub("layer_norm2"), width, eps)?,
            up: Linear::load(&mlp.sub("fc1"), width, inner)?,
            activation,
            down: Linear::load(&mlp.sub("fc2"), inner, width)?,
        })
    }

    /// `[B, N, D]` to the same.
    fn forward(&self, hidden: &Tensor) -> Result<Tensor, TchError> {
        let attended = self.attend(&self.norm1.forward(hidden)?)?;
        let hidden = hidden.f_add(&attended)?;
        let inner = self
            .activation
            .forward(&self.up.forward(&self.norm2.forward(&hidden)?)?)?;
        hidden.f_add(&self.down.forward(&inner)?)
    }

    /// Each token sees itself and those before it, padding too: the networks were trained without a mask for it.
    fn attend(&self, hidden: &Tensor) -> Result<Tensor, TchError> {
        let (batch, length, width) = hidden.size3()?;
        let split = |linear: &Linear| {
            linear
                .forward(hidden)?
                .f_view([batch, length, self.heads, width / self.heads])?
                .f_transpose(1, 2)
        };
        let attended = Tensor::f_scaled_dot_product_attention(
            &split(&self.query)?,
            &split(&self.key)?,
            &split(&self.value)?,
            None::<&Tensor>,
            0.0,
            true,
            None,
            false,
        )?;
        self.out.forward(
            &attended
                .f_transpose(1, 2)?
                .f_reshape([batch, length, width])?,
        )
    }
}

/// A loaded text encoder.
pub struct ClipText {
    tokens: Tensor,
    positions: Tensor,
    layers: Vec<Layer>,
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
        let activation = Activation::named(&config.hidden_act)?;
        let width = config.hidden_size;
        if config.num_attention_heads < 1 || width % config.num_attention_heads != 0 {
            let reason = format!("which does not divide hidden_size {width}");
            return Err(WeightsError::config(
                "num_attention_heads",
                config.num_attention_heads,
                reason,
            ));
        }
        let embeddings = scope.sub("embeddings");
        let layers = scope.sub("encoder").sub("layers");
        Ok(Self {
            tokens: embeddings
                .sub("token_embedding")
                .tensor("weight", &[config.vocab_size, width])?,
            positions: embeddings
                .sub("position_embedding")
                .tensor("weight", &[config.max_position_embeddings, width])?,
            layers: (0..config.num_hidden_layers)
                .map(|index| Layer::load(&layers.sub(index), config, activation))
                .collect::<Result<_, _>>()?,
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
        let mut hidden =
            Tensor::f_embedding(&self.tokens, &ids, -1, false, false)?.f_add(&positions)?;
        for layer in &self.layers {
            hidden = layer.forward(&hidden)?;
        }
        self.norm.forward(&hidden)
    }
}
