//! The thin layers that networks are made of: a torch operation beside the tensors that it reads.
//!
//! Pictures are `[B, C, H, W]`, channels-last by strides; sequences `[B, N, C]`. Every call returns what torch says
//! instead of panicking, since any of them can run out of memory.

use tch::{TchError, Tensor};

use crate::weights::{Scope, WeightsError};

/// A convolution with a square kernel. With bias, stride 1 and the padding that keeps the size, unless said otherwise.
pub(crate) struct Conv2d {
    weight: Tensor,
    bias: Option<Tensor>,
    stride: i64,
    padding: i64,
}

impl Conv2d {
    /// Reads `weight` `[outputs, inputs, kernel, kernel]` and `bias` `[outputs]`.
    pub(crate) fn load(
        scope: &Scope<'_>,
        inputs: i64,
        outputs: i64,
        kernel: i64,
    ) -> Result<Self, WeightsError> {
        let bias = scope.tensor("bias", &[outputs])?;
        let conv = Self::load_without_bias(scope, inputs, outputs, kernel)?;
        Ok(Self {
            bias: Some(bias),
            ..conv
        })
    }

    /// The same without a bias.
    pub(crate) fn load_without_bias(
        scope: &Scope<'_>,
        inputs: i64,
        outputs: i64,
        kernel: i64,
    ) -> Result<Self, WeightsError> {
        Ok(Self {
            weight: scope.tensor("weight", &[outputs, inputs, kernel, kernel])?,
            bias: None,
            stride: 1,
            padding: kernel / 2,
        })
    }

    /// Halves the size: stride 2.
    pub(crate) fn halving(self) -> Self {
        Self { stride: 2, ..self }
    }

    /// Without padding: the caller has padded.
    pub(crate) fn unpadded(self) -> Self {
        Self { padding: 0, ..self }
    }

    /// Kernels stand side by side, without padding: stride `kernel`.
    pub(crate) fn side_by_side(self, kernel: i64) -> Self {
        Self {
            stride: kernel,
            padding: 0,
            ..self
        }
    }

    pub(crate) fn forward(&self, picture: &Tensor) -> Result<Tensor, TchError> {
        picture.f_conv2d(
            &self.weight,
            self.bias.as_ref(),
            [self.stride, self.stride],
            [self.padding, self.padding],
            [1, 1],
            1,
        )
    }
}

/// A linear map over the last dimension.
pub(crate) struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
    /// The file has it as a convolution of 1 x 1, which over `[B, N, C]` is the same map.
    pointwise: bool,
}

impl Linear {
    /// Reads `weight` `[outputs, inputs]` and `bias` `[outputs]`.
    pub(crate) fn load(scope: &Scope<'_>, inputs: i64, outputs: i64) -> Result<Self, WeightsError> {
        Ok(Self {
            weight: scope.tensor("weight", &[outputs, inputs])?,
            bias: Some(scope.tensor("bias", &[outputs])?),
            pointwise: false,
        })
    }

    /// The same without a bias.
    pub(crate) fn load_without_bias(
        scope: &Scope<'_>,
        inputs: i64,
        outputs: i64,
    ) -> Result<Self, WeightsError> {
        Ok(Self {
            weight: scope.tensor("weight", &[outputs, inputs])?,
            bias: None,
            pointwise: false,
        })
    }

    /// Reads a convolution of 1 x 1: `weight` `[outputs, inputs, 1, 1]` and `bias` `[outputs]`.
    pub(crate) fn load_pointwise(
        scope: &Scope<'_>,
        inputs: i64,
        outputs: i64,
    ) -> Result<Self, WeightsError> {
        Ok(Self {
            weight: scope.tensor("weight", &[outputs, inputs, 1, 1])?,
            bias: Some(scope.tensor("bias", &[outputs])?),
            pointwise: true,
        })
    }

    pub(crate) fn forward(&self, sequence: &Tensor) -> Result<Tensor, TchError> {
        if self.pointwise {
            sequence.f_linear(&self.weight.f_flatten(1, -1)?, self.bias.as_ref())
        } else {
            sequence.f_linear(&self.weight, self.bias.as_ref())
        }
    }

    /// Only the outputs from `start` on, `length` of them. The weight is viewed and not copied, and the result is
    /// dense, which half of a whole result is not.
    pub(crate) fn forward_rows(
        &self,
        sequence: &Tensor,
        start: i64,
        length: i64,
    ) -> Result<Tensor, TchError> {
        let weight = self.weight.f_narrow(0, start, length)?;
        let bias = match &self.bias {
            Some(bias) => Some(bias.f_narrow(0, start, length)?),
            None => None,
        };
        sequence.f_linear(&weight, bias)
    }
}

/// Normalisation over groups of channels.
pub(crate) struct GroupNorm {
    weight: Tensor,
    bias: Tensor,
    groups: i64,
    eps: f64,
}

impl GroupNorm {
    pub(crate) fn load(
        scope: &Scope<'_>,
        channels: i64,
        groups: i64,
        eps: f64,
    ) -> Result<Self, WeightsError> {
        Ok(Self {
            weight: scope.tensor("weight", &[channels])?,
            bias: scope.tensor("bias", &[channels])?,
            groups,
            eps,
        })
    }

    pub(crate) fn forward(&self, picture: &Tensor) -> Result<Tensor, TchError> {
        picture.f_group_norm(
            self.groups,
            Some(&self.weight),
            Some(&self.bias),
            self.eps,
            true,
        )
    }
}

/// Normalisation over the last dimension.
pub(crate) struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    channels: i64,
    eps: f64,
}

impl LayerNorm {
    pub(crate) fn load(scope: &Scope<'_>, channels: i64, eps: f64) -> Result<Self, WeightsError> {
        Ok(Self {
            weight: scope.tensor("weight", &[channels])?,
            bias: scope.tensor("bias", &[channels])?,
            channels,
            eps,
        })
    }

    pub(crate) fn forward(&self, sequence: &Tensor) -> Result<Tensor, TchError> {
        sequence.f_layer_norm(
            [self.channels],
            Some(&self.weight),
            Some(&self.bias),
            self.eps,
            true,
        )
    }
}

/// `[B, C, H, W]` as `[B, H * W, C]`: for a channels-last picture a view.
pub(crate) fn to_sequence(picture: &Tensor) -> Result<Tensor, TchError> {
    let (batch, channels, height, width) = picture.size4()?;
    picture
        .f_permute([0, 2, 3, 1])?
        .f_reshape([batch, height * width, channels])
}

/// `[B, H * W, C]` as `[B, C, H, W]`, channels-last: a view.
pub(crate) fn to_picture(sequence: &Tensor, height: i64, width: i64) -> Result<Tensor, TchError> {
    let (batch, _, channels) = sequence.size3()?;
    sequence
        .f_reshape([batch, height, width, channels])?
        .f_permute([0, 3, 1, 2])
}

/// Attention of `query` over `key` and `value`, each `[B, N, heads * D]`, to `[B, N, heads * D]`.
pub(crate) fn attend(
    query: &Tensor,
    key: &Tensor,
    value: &Tensor,
    heads: i64,
) -> Result<Tensor, TchError> {
    let split = |tensor: &Tensor| {
        let (batch, length, channels) = tensor.size3()?;
        tensor
            .f_view([batch, length, heads, channels / heads])?
            .f_transpose(1, 2)
    };
    Tensor::f_scaled_dot_product_attention(
        &split(query)?,
        &split(key)?,
        &split(value)?,
        None::<&Tensor>,
        0.0,
        false,
        None,
        false,
    )?
    .f_transpose(1, 2)?
    .f_flatten(2, 3)
}
