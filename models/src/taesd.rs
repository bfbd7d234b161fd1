//! The tiny autoencoder: `AutoencoderTiny` (TAESD, Ollin Boer Bohan, github.com/madebyollin/taesd).

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tch::{TchError, Tensor};

use crate::config::built_only;
use crate::layers::Conv2d;
use crate::weights::{Scope, WeightsError};

/// A tiny autoencoder's `config.json` (diffusers, `AutoencoderTiny`, whose defaults these are).
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct AutoencoderTinyConfig {
    /// Channels of a picture in: 3.
    pub in_channels: i64,
    /// Channels of a picture out: 3.
    pub out_channels: i64,
    /// Channels of a latent: 4.
    pub latent_channels: i64,
    /// Channels of each stage of the encoder.
    pub encoder_block_out_channels: Vec<i64>,
    /// Channels of each stage of the decoder.
    pub decoder_block_out_channels: Vec<i64>,
    /// Residual blocks in each stage of the encoder; every stage but the first begins by halving.
    pub num_encoder_blocks: Vec<i64>,
    /// Residual blocks in each stage of the decoder; every stage but the last ends by doubling.
    pub num_decoder_blocks: Vec<i64>,
    /// What a latent is multiplied by before the denoiser: 1.
    pub scaling_factor: f64,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Default for AutoencoderTinyConfig {
    fn default() -> Self {
        Self {
            in_channels: 3,
            out_channels: 3,
            latent_channels: 4,
            encoder_block_out_channels: vec![64; 4],
            decoder_block_out_channels: vec![64; 4],
            num_encoder_blocks: vec![1, 3, 3, 3],
            num_decoder_blocks: vec![3, 3, 3, 1],
            scaling_factor: 1.0,
            rest: Map::new(),
        }
    }
}

impl AutoencoderTinyConfig {
    fn check(&self) -> Result<(), WeightsError> {
        // `latent_magnitude`, `latent_shift` and `shift_factor` are for storing latents as bytes and do not matter here.
        built_only(
            &self.rest,
            &[
                ("act_fn", json!("relu")),
                ("upsample_fn", json!("nearest")),
                ("upsampling_scaling_factor", json!(2)),
            ],
        )?;
        for (key, channels, blocks) in [
            (
                "encoder_block_out_channels",
                &self.encoder_block_out_channels,
                &self.num_encoder_blocks,
            ),
            (
                "decoder_block_out_channels",
                &self.decoder_block_out_channels,
                &self.num_decoder_blocks,
            ),
        ] {
            // The stages' kernels map each number of channels to itself, so diffusers too runs only equal ones.
            let equal = channels.windows(2).all(|pair| pair[0] == pair[1]);
            if channels.is_empty() || channels.len() != blocks.len() || !equal {
                let reason = format!("where {} equal numbers are needed", blocks.len());
                return Err(WeightsError::config(key, channels, reason));
            }
        }
        Ok(())
    }
}

/// The tiny autoencoder. Call it under [`tch::no_grad`], with tensors of the kind and on the device of its weights.
pub struct AutoencoderTiny {
    encoder: Vec<Layer>,
    decoder: Vec<Layer>,
    scaling_factor: f64,
}

/// One entry of a sequence; the checkpoint counts all of them, also those without weights.
enum Layer {
    Conv(Conv2d),
    Block([Conv2d; 3]),
    Relu,
    Double,
}

impl AutoencoderTiny {
    /// Reads the network from the root of its component.
    ///
    /// # Errors
    ///
    /// [`WeightsError::Config`] for an option that is not built; else as [`Scope::tensor`].
    pub fn load(scope: &Scope<'_>, config: &AutoencoderTinyConfig) -> Result<Self, WeightsError> {
        config.check()?;
        Ok(Self {
            encoder: load_encoder(&scope.sub("encoder").sub("layers"), config)?,
            decoder: load_decoder(&scope.sub("decoder").sub("layers"), config)?,
            scaling_factor: config.scaling_factor,
        })
    }

    /// `picture` `[B, 3, H, W]`, RGB in -1..1, to a latent `[B, 4, H/8, W/8]`.
    ///
    /// # Errors
    ///
    /// What torch refuses: memory, or another shape.
    pub fn encode(&self, picture: &Tensor) -> Result<Tensor, TchError> {
        run(
            &self.encoder,
            picture.f_add_scalar(1.0)?.f_mul_scalar_(0.5)?,
        )
    }

    /// `latent` `[B, 4, H/8, W/8]` to a picture `[B, 3, H, W]`, RGB, about -1..1.
    ///
    /// # Errors
    ///
    /// What torch refuses: memory, or another shape.
    pub fn decode(&self, latent: &Tensor) -> Result<Tensor, TchError> {
        let softly_bounded = latent.f_div_scalar(3.0)?.f_tanh_()?.f_mul_scalar_(3.0)?;
        run(&self.decoder, softly_bounded)?
            .f_mul_scalar_(2.0)?
            .f_sub_scalar_(1.0)
    }

    /// From the encoder's scale to the denoiser's.
    ///
    /// # Errors
    ///
    /// What torch refuses: memory.
    pub fn scale(&self, latent: &Tensor) -> Result<Tensor, TchError> {
        latent.f_mul_scalar(self.scaling_factor)
    }

    /// From the denoiser's scale to the decoder's.
    ///
    /// # Errors
    ///
    /// What torch refuses: memory.
    pub fn unscale(&self, latent: &Tensor) -> Result<Tensor, TchError> {
        latent.f_div_scalar(self.scaling_factor)
    }
}

fn load_encoder(
    scope: &Scope<'_>,
    config: &AutoencoderTinyConfig,
) -> Result<Vec<Layer>, WeightsError> {
    let channels = config.encoder_block_out_channels[0];
    let mut layers = Vec::new();
    for (stage, &blocks) in config.num_encoder_blocks.iter().enumerate() {
        let at = scope.sub(layers.len());
        layers.push(Layer::Conv(if stage == 0 {
            Conv2d::load(&at, config.in_channels, channels, 3)?
        } else {
            Conv2d::load_without_bias(&at, channels, channels, 3)?.halving()
        }));
        load_blocks(scope, channels, blocks, &mut layers)?;
    }
    let last = scope.sub(layers.len());
    layers.push(Layer::Conv(Conv2d::load(
        &last,
        channels,
        config.latent_channels,
        3,
    )?));
    Ok(layers)
}

fn load_decoder(
    scope: &Scope<'_>,
    config: &AutoencoderTinyConfig,
) -> Result<Vec<Layer>, WeightsError> {
    let channels = config.decoder_block_out_channels[0];
    let first = Conv2d::load(&scope.sub(0), config.latent_channels, channels, 3)?;
    let mut layers = vec![Layer::Conv(first), Layer::Relu];
    let last = config.num_decoder_blocks.len() - 1;
    for (stage, &blocks) in config.num_decoder_blocks.iter().enumerate() {
        load_blocks(scope, channels, blocks, &mut layers)?;
        if stage < last {
            layers.push(Layer::Double);
        }
        let at = scope.sub(layers.len());
        layers.push(Layer::Conv(if stage < last {
            Conv2d::load_without_bias(&at, channels, channels, 3)?
        } else {
            Conv2d::load(&at, channels, config.out_channels, 3)?
        }));
    }
    Ok(layers)
}

fn load_blocks(
    scope: &Scope<'_>,
    channels: i64,
    count: i64,
    layers: &mut Vec<Layer>,
) -> Result<(), WeightsError> {
    for _ in 0..count {
        let scope = scope.sub(layers.len()).sub("conv");
        // The numbers between them are the activations.
        let conv = |at: i64| Conv2d::load(&scope.sub(at), channels, channels, 3);
        layers.push(Layer::Block([conv(0)?, conv(2)?, conv(4)?]));
    }
    Ok(())
}

fn run(layers: &[Layer], mut hidden: Tensor) -> Result<Tensor, TchError> {
    for layer in layers {
        hidden = match layer {
            Layer::Conv(conv) => conv.forward(&hidden)?,
            Layer::Relu => hidden.f_relu_()?,
            Layer::Double => {
                let (_, _, height, width) = hidden.size4()?;
                hidden.f_upsample_nearest2d([2 * height, 2 * width], None, None)?
            }
            Layer::Block([first, second, third]) => {
                let inner = first.forward(&hidden)?.f_relu_()?;
                let inner = second.forward(&inner)?.f_relu_()?;
                third.forward(&inner)?.f_add_(&hidden)?.f_relu_()?
            }
        };
    }
    Ok(hidden)
}
