//! The autoencoder between pictures and latents: `AutoencoderKL` (Kingma and Welling 2014; Rombach et al. 2022).
//!
//! Modules and fields are named like the checkpoint's keys.

mod config;
mod decoder;
mod encoder;
mod mid;

use tch::{TchError, Tensor};

pub use config::AutoencoderKlConfig;

use crate::layers::{Conv2d, GroupNorm};
use crate::unet::resnet::ResnetBlock2d;
use crate::weights::{Scope, WeightsError};
use decoder::Decoder;
use encoder::Encoder;

/// The autoencoder. Call it under [`tch::no_grad`], with tensors of the kind and on the device of its weights.
pub struct AutoencoderKl {
    encoder: Encoder,
    decoder: Decoder,
    quant_conv: Option<Conv2d>,
    post_quant_conv: Option<Conv2d>,
    scaling_factor: f64,
    shift_factor: f64,
}

/// The normal distribution of latents that the encoder sees in a picture: `[B, 4, H/8, W/8]` each.
pub struct Moments {
    /// Its middle.
    pub mean: Tensor,
    /// The logarithm of its variance, kept to -30..20.
    pub log_variance: Tensor,
}

impl Moments {
    /// The likeliest latent.
    pub fn mode(&self) -> Tensor {
        self.mean.shallow_clone()
    }

    /// A latent drawn by `noise`, standard normal, of the shape of [`Moments::mean`].
    ///
    /// # Errors
    ///
    /// What torch refuses: memory, or another shape.
    pub fn sample(&self, noise: &Tensor) -> Result<Tensor, TchError> {
        let deviation = self.log_variance.f_mul_scalar(0.5)?.f_exp_()?;
        noise.f_mul(&deviation)?.f_add_(&self.mean)
    }
}

impl AutoencoderKl {
    /// Reads the network from the root of its component.
    ///
    /// # Errors
    ///
    /// [`WeightsError::Config`] for an option or a block that is not built; else as [`Scope::tensor`].
    pub fn load(scope: &Scope<'_>, config: &AutoencoderKlConfig) -> Result<Self, WeightsError> {
        config.check()?;
        let pointwise = |wanted: bool, name, channels| {
            wanted
                .then(|| Conv2d::load(&scope.sub(name), channels, channels, 1))
                .transpose()
        };
        let latent = config.latent_channels;
        Ok(Self {
            encoder: Encoder::load(&scope.sub("encoder"), config)?,
            decoder: Decoder::load(&scope.sub("decoder"), config)?,
            quant_conv: pointwise(config.use_quant_conv, "quant_conv", 2 * latent)?,
            post_quant_conv: pointwise(config.use_post_quant_conv, "post_quant_conv", latent)?,
            scaling_factor: config.scaling_factor,
            shift_factor: config.shift_factor.unwrap_or(0.0),
        })
    }

    /// `picture` `[B, 3, H, W]`, RGB in -1..1, sides multiples of 8.
    ///
    /// # Errors
    ///
    /// What torch refuses: memory, or another shape.
    pub fn encode(&self, picture: &Tensor) -> Result<Moments, TchError> {
        let mut hidden = self.encoder.forward(picture)?;
        if let Some(conv) = &self.quant_conv {
            hidden = conv.forward(&hidden)?;
        }
        let half = hidden.size4()?.1 / 2;
        Ok(Moments {
            mean: hidden.f_narrow(1, 0, half)?,
            log_variance: hidden.f_narrow(1, half, half)?.f_clamp(-30.0, 20.0)?,
        })
    }

    /// `latent` `[B, 4, H/8, W/8]` in the encoder's own scale, to a picture `[B, 3, H, W]`, RGB, about -1..1.
    ///
    /// # Errors
    ///
    /// What torch refuses: memory, or another shape.
    pub fn decode(&self, latent: &Tensor) -> Result<Tensor, TchError> {
        match &self.post_quant_conv {
            Some(conv) => self.decoder.forward(&conv.forward(latent)?),
            None => self.decoder.forward(latent),
        }
    }

    /// From the encoder's scale to the denoiser's.
    ///
    /// # Errors
    ///
    /// What torch refuses: memory.
    pub fn scale(&self, latent: &Tensor) -> Result<Tensor, TchError> {
        latent
            .f_sub_scalar(self.shift_factor)?
            .f_mul_scalar_(self.scaling_factor)
    }

    /// From the denoiser's scale to the decoder's.
    ///
    /// # Errors
    ///
    /// What torch refuses: memory.
    pub fn unscale(&self, latent: &Tensor) -> Result<Tensor, TchError> {
        latent
            .f_div_scalar(self.scaling_factor)?
            .f_add_scalar_(self.shift_factor)
    }
}

fn load_norm(
    scope: &Scope<'_>,
    channels: i64,
    config: &AutoencoderKlConfig,
) -> Result<GroupNorm, WeightsError> {
    GroupNorm::load(scope, channels, config.norm_num_groups, config::EPS)
}

/// The residual blocks under `resnets`; the first one changes the number of channels.
fn load_resnets(
    scope: &Scope<'_>,
    inputs: i64,
    outputs: i64,
    count: i64,
    config: &AutoencoderKlConfig,
) -> Result<Vec<ResnetBlock2d>, WeightsError> {
    let scope = scope.sub("resnets");
    (0..count)
        .map(|at| {
            let inputs = if at == 0 { inputs } else { outputs };
            ResnetBlock2d::load(&scope.sub(at), inputs, outputs, config.resnet())
        })
        .collect()
}
