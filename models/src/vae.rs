//! The autoencoder between pictures and latents: `AutoencoderKL` (Kingma and Welling 2014; Rombach et al. 2022).

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tch::{TchError, Tensor};

use crate::config::{built_only, divisible};
use crate::layers::{Conv2d, GroupNorm, Linear, attend, to_picture, to_sequence};
use crate::unet::resnet::{ResnetBlock2d, ResnetConfig};
use crate::weights::{Scope, WeightsError};

/// The epsilon that diffusers gives to every normalisation in it.
const EPS: f64 = 1e-6;

/// An autoencoder's `config.json` (diffusers, `AutoencoderKL`, whose defaults these are).
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct AutoencoderKlConfig {
    /// Channels of a picture in: 3.
    pub in_channels: i64,
    /// Channels of a picture out: 3.
    pub out_channels: i64,
    /// Channels of a latent: 4.
    pub latent_channels: i64,
    /// Channels of each block, from the outermost to the innermost.
    pub block_out_channels: Vec<i64>,
    /// `DownEncoderBlock2D` each.
    pub down_block_types: Vec<String>,
    /// `UpDecoderBlock2D` each.
    pub up_block_types: Vec<String>,
    /// Residual blocks in each block of the encoder; the decoder has one more.
    pub layers_per_block: i64,
    /// Groups of every normalisation.
    pub norm_num_groups: i64,
    /// What a latent is multiplied by, to have variance 1 in training.
    pub scaling_factor: f64,
    /// What is subtracted from it before.
    pub shift_factor: Option<f64>,
    /// Whether a kernel of 1 x 1 follows the encoder.
    pub use_quant_conv: bool,
    /// Whether one comes before the decoder.
    pub use_post_quant_conv: bool,
    /// Whether the innermost blocks have attention.
    pub mid_block_add_attention: bool,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Default for AutoencoderKlConfig {
    fn default() -> Self {
        Self {
            in_channels: 3,
            out_channels: 3,
            latent_channels: 4,
            block_out_channels: vec![64],
            down_block_types: vec!["DownEncoderBlock2D".to_owned()],
            up_block_types: vec!["UpDecoderBlock2D".to_owned()],
            layers_per_block: 1,
            norm_num_groups: 32,
            scaling_factor: 0.18215,
            shift_factor: None,
            use_quant_conv: true,
            use_post_quant_conv: true,
            mid_block_add_attention: true,
            rest: Map::new(),
        }
    }
}

impl AutoencoderKlConfig {
    fn check(&self) -> Result<(), WeightsError> {
        built_only(
            &self.rest,
            &[
                ("act_fn", json!("silu")),
                ("latents_mean", Value::Null),
                ("latents_std", Value::Null),
            ],
        )?;
        let blocks = self.block_out_channels.len();
        for (key, types, built) in [
            (
                "down_block_types",
                &self.down_block_types,
                "DownEncoderBlock2D",
            ),
            ("up_block_types", &self.up_block_types, "UpDecoderBlock2D"),
        ] {
            if let Some(name) = types.iter().find(|name| *name != built) {
                let reason = format!("only `{built}` is built");
                return Err(WeightsError::config(key, name, reason));
            }
            if types.len() != blocks || blocks == 0 {
                let reason = format!("where `block_out_channels` has {blocks} entries");
                return Err(WeightsError::config(key, types, reason));
            }
        }
        for &channels in &self.block_out_channels {
            divisible(channels, self.norm_num_groups, "norm_num_groups")?;
        }
        Ok(())
    }

    fn resnet(&self) -> ResnetConfig {
        ResnetConfig {
            groups: self.norm_num_groups,
            eps: EPS,
            time_channels: None,
        }
    }

    fn innermost(&self) -> i64 {
        self.block_out_channels[self.block_out_channels.len() - 1]
    }
}

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
    #[must_use]
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

struct Encoder {
    conv_in: Conv2d,
    down_blocks: Vec<DownBlock>,
    mid_block: MidBlock,
    conv_norm_out: GroupNorm,
    conv_out: Conv2d,
}

impl Encoder {
    fn load(scope: &Scope<'_>, config: &AutoencoderKlConfig) -> Result<Self, WeightsError> {
        let channels = &config.block_out_channels;
        let innermost = config.innermost();
        let mut inputs = channels[0];
        let mut down_blocks = Vec::with_capacity(channels.len());
        for (at, &outputs) in channels.iter().enumerate() {
            let scope = scope.sub("down_blocks").sub(at);
            let resnets = load_resnets(&scope, inputs, outputs, config.layers_per_block, config)?;
            let downsampler = (at + 1 < channels.len())
                .then(|| {
                    let scope = scope.sub("downsamplers").sub(0).sub("conv");
                    Conv2d::load(&scope, outputs, outputs, 3)
                })
                .transpose()?
                .map(|conv| conv.halving().unpadded());
            down_blocks.push(DownBlock {
                resnets,
                downsampler,
            });
            inputs = outputs;
        }
        let conv = |name, inputs, outputs| Conv2d::load(&scope.sub(name), inputs, outputs, 3);
        Ok(Self {
            conv_in: conv("conv_in", config.in_channels, channels[0])?,
            down_blocks,
            mid_block: MidBlock::load(&scope.sub("mid_block"), config)?,
            conv_norm_out: load_norm(&scope.sub("conv_norm_out"), innermost, config)?,
            conv_out: conv("conv_out", innermost, 2 * config.latent_channels)?,
        })
    }

    fn forward(&self, picture: &Tensor) -> Result<Tensor, TchError> {
        let mut hidden = self.conv_in.forward(picture)?;
        for block in &self.down_blocks {
            for resnet in &block.resnets {
                hidden = resnet.forward(&hidden, None)?;
            }
            if let Some(conv) = &block.downsampler {
                // One row below and one column to the right, and no more.
                hidden = conv.forward(&hidden.f_constant_pad_nd([0, 1, 0, 1])?)?;
            }
        }
        let hidden = self.mid_block.forward(&hidden)?;
        self.conv_out
            .forward(&self.conv_norm_out.forward(&hidden)?.f_silu_()?)
    }
}

struct DownBlock {
    resnets: Vec<ResnetBlock2d>,
    downsampler: Option<Conv2d>,
}

struct Decoder {
    conv_in: Conv2d,
    mid_block: MidBlock,
    up_blocks: Vec<UpBlock>,
    conv_norm_out: GroupNorm,
    conv_out: Conv2d,
}

impl Decoder {
    fn load(scope: &Scope<'_>, config: &AutoencoderKlConfig) -> Result<Self, WeightsError> {
        let channels = &config.block_out_channels;
        let innermost = config.innermost();
        let mut inputs = innermost;
        let mut up_blocks = Vec::with_capacity(channels.len());
        for (at, &outputs) in channels.iter().rev().enumerate() {
            let scope = scope.sub("up_blocks").sub(at);
            let layers = config.layers_per_block + 1;
            let resnets = load_resnets(&scope, inputs, outputs, layers, config)?;
            let upsampler = (at + 1 < channels.len())
                .then(|| {
                    let scope = scope.sub("upsamplers").sub(0).sub("conv");
                    Conv2d::load(&scope, outputs, outputs, 3)
                })
                .transpose()?;
            up_blocks.push(UpBlock { resnets, upsampler });
            inputs = outputs;
        }
        let conv = |name, inputs, outputs| Conv2d::load(&scope.sub(name), inputs, outputs, 3);
        Ok(Self {
            conv_in: conv("conv_in", config.latent_channels, innermost)?,
            mid_block: MidBlock::load(&scope.sub("mid_block"), config)?,
            up_blocks,
            conv_norm_out: load_norm(&scope.sub("conv_norm_out"), channels[0], config)?,
            conv_out: conv("conv_out", channels[0], config.out_channels)?,
        })
    }

    fn forward(&self, latent: &Tensor) -> Result<Tensor, TchError> {
        let mut hidden = self.mid_block.forward(&self.conv_in.forward(latent)?)?;
        for block in &self.up_blocks {
            for resnet in &block.resnets {
                hidden = resnet.forward(&hidden, None)?;
            }
            if let Some(conv) = &block.upsampler {
                let (_, _, height, width) = hidden.size4()?;
                let doubled = hidden.f_upsample_nearest2d([2 * height, 2 * width], None, None)?;
                hidden = conv.forward(&doubled)?;
            }
        }
        self.conv_out
            .forward(&self.conv_norm_out.forward(&hidden)?.f_silu_()?)
    }
}

struct UpBlock {
    resnets: Vec<ResnetBlock2d>,
    upsampler: Option<Conv2d>,
}

/// A residual block, attention of the pixels over each other, a residual block.
struct MidBlock {
    resnets: Vec<ResnetBlock2d>,
    attention: Option<Attention>,
}

impl MidBlock {
    fn load(scope: &Scope<'_>, config: &AutoencoderKlConfig) -> Result<Self, WeightsError> {
        let channels = config.innermost();
        Ok(Self {
            resnets: load_resnets(scope, channels, channels, 2, config)?,
            attention: config
                .mid_block_add_attention
                .then(|| Attention::load(&scope.sub("attentions").sub(0), channels, config))
                .transpose()?,
        })
    }

    fn forward(&self, picture: &Tensor) -> Result<Tensor, TchError> {
        let mut hidden = self.resnets[0].forward(picture, None)?;
        if let Some(attention) = &self.attention {
            hidden = attention.forward(&hidden)?;
        }
        self.resnets[1].forward(&hidden, None)
    }
}

/// Attention with one head, as wide as the picture has channels.
struct Attention {
    group_norm: GroupNorm,
    to_q: Linear,
    to_k: Linear,
    to_v: Linear,
    to_out: Linear,
}

impl Attention {
    fn load(
        scope: &Scope<'_>,
        channels: i64,
        config: &AutoencoderKlConfig,
    ) -> Result<Self, WeightsError> {
        let map = |scope: Scope<'_>| Linear::load(&scope, channels, channels);
        Ok(Self {
            group_norm: load_norm(&scope.sub("group_norm"), channels, config)?,
            to_q: map(scope.sub("to_q"))?,
            to_k: map(scope.sub("to_k"))?,
            to_v: map(scope.sub("to_v"))?,
            to_out: map(scope.sub("to_out").sub(0))?,
        })
    }

    fn forward(&self, picture: &Tensor) -> Result<Tensor, TchError> {
        let (_, _, height, width) = picture.size4()?;
        let sequence = to_sequence(&self.group_norm.forward(picture)?)?;
        let hidden = attend(
            &self.to_q.forward(&sequence)?,
            &self.to_k.forward(&sequence)?,
            &self.to_v.forward(&sequence)?,
            1,
        )?;
        to_picture(&self.to_out.forward(&hidden)?, height, width)?.f_add_(picture)
    }
}

fn load_norm(
    scope: &Scope<'_>,
    channels: i64,
    config: &AutoencoderKlConfig,
) -> Result<GroupNorm, WeightsError> {
    GroupNorm::load(scope, channels, config.norm_num_groups, EPS)
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
