//! What an autoencoder's `config.json` says.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::config::{built_only, divisible, sane};
use crate::unet::resnet::ResnetConfig;
use crate::weights::WeightsError;

/// The epsilon that diffusers gives to every normalisation in it.
pub(super) const EPS: f64 = 1e-6;

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
    pub(super) fn check(&self) -> Result<(), WeightsError> {
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
        sane(&self.block_out_channels, "block_out_channels")?;
        sane(&[self.latent_channels], "latent_channels")?;
        sane(&[self.layers_per_block], "layers_per_block")?;
        for &channels in &self.block_out_channels {
            divisible(channels, self.norm_num_groups, "norm_num_groups")?;
        }
        Ok(())
    }

    pub(super) fn resnet(&self) -> ResnetConfig {
        ResnetConfig {
            groups: self.norm_num_groups,
            eps: EPS,
            time_channels: None,
        }
    }

    pub(super) fn innermost(&self) -> i64 {
        self.block_out_channels[self.block_out_channels.len() - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_beyond_all_reckoning_are_refused_by_name() {
        for key in ["latent_channels", "layers_per_block"] {
            for number in [i64::MIN, -1, 0, i64::MAX] {
                let config: AutoencoderKlConfig =
                    serde_json::from_value(json!({ key: number })).unwrap();
                let refusal = config.check().unwrap_err().to_string();
                assert!(
                    refusal.contains(key) && refusal.contains(&number.to_string()),
                    "{refusal}"
                );
            }
        }
    }
}
