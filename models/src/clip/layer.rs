//! What both halves of CLIP are made of: a stack of layers, each attention and then a perceptron. Reference: `CLIPEncoder`.

use tch::{TchError, Tensor};

use crate::layers::{LayerNorm, Linear};
use crate::weights::{Scope, WeightsError};

/// How a stack is built.
pub(super) struct Shape<'a> {
    /// D.
    pub(super) width: i64,
    /// Width inside the two-layer perceptrons.
    pub(super) inner: i64,
    pub(super) layers: i64,
    pub(super) heads: i64,
    /// `hidden_act` of the configuration.
    pub(super) activation: &'a str,
    /// Added to the variance in each norm.
    pub(super) eps: f64,
    /// Whether a place in the sequence sees only itself and those before it.
    pub(super) causal: bool,
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

/// The stack, scope `encoder`.
pub(super) struct Encoder(Vec<Layer>);

impl Encoder {
    /// Reads `layers.0` and so on.
    ///
    /// # Errors
    /// When the shape asks for an activation that is not built or for heads that do not divide the width, or a tensor is
    /// missing or of another shape.
    pub(super) fn load(scope: &Scope<'_>, shape: &Shape<'_>) -> Result<Self, WeightsError> {
        let activation = Activation::named(shape.activation)?;
        if shape.heads < 1 || shape.width % shape.heads != 0 {
            let reason = format!("which does not divide hidden_size {}", shape.width);
            return Err(WeightsError::config(
                "num_attention_heads",
                shape.heads,
                reason,
            ));
        }
        let layers = scope.sub("layers");
        let load = |index| Layer::load(&layers.sub(index), shape, activation);
        Ok(Self((0..shape.layers).map(load).collect::<Result<_, _>>()?))
    }

    /// `[B, N, D]` to the same.
    pub(super) fn forward(&self, hidden: &Tensor) -> Result<Tensor, TchError> {
        let mut hidden = hidden.shallow_clone();
        for layer in &self.0 {
            hidden = layer.forward(&hidden)?;
        }
        Ok(hidden)
    }
}

struct Layer {
    norm1: LayerNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
    heads: i64,
    causal: bool,
    norm2: LayerNorm,
    up: Linear,
    activation: Activation,
    down: Linear,
}

impl Layer {
    fn load(
        scope: &Scope<'_>,
        shape: &Shape<'_>,
        activation: Activation,
    ) -> Result<Self, WeightsError> {
        let (width, inner, eps) = (shape.width, shape.inner, shape.eps);
        let attention = scope.sub("self_attn");
        let mlp = scope.sub("mlp");
        Ok(Self {
            norm1: LayerNorm::load(&scope.sub("layer_norm1"), width, eps)?,
            query: Linear::load(&attention.sub("q_proj"), width, width)?,
            key: Linear::load(&attention.sub("k_proj"), width, width)?,
            value: Linear::load(&attention.sub("v_proj"), width, width)?,
            out: Linear::load(&attention.sub("out_proj"), width, width)?,
            heads: shape.heads,
            causal: shape.causal,
            norm2: LayerNorm::load(&scope.sub("layer_norm2"), width, eps)?,
            up: Linear::load(&mlp.sub("fc1"), width, inner)?,
            activation,
            down: Linear::load(&mlp.sub("fc2"), inner, width)?,
        })
    }

    fn forward(&self, hidden: &Tensor) -> Result<Tensor, TchError> {
        let attended = self.attend(&self.norm1.forward(hidden)?)?;
        let hidden = hidden.f_add(&attended)?;
        let inner = self
            .activation
            .forward(&self.up.forward(&self.norm2.forward(&hidden)?)?)?;
        hidden.f_add(&self.down.forward(&inner)?)
    }

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
            self.causal,
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
