//! What a denoiser's `config.json` says.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::config::{PerBlock, built_only, divisible, sane};
use crate::weights::WeightsError;

/// The keys of the half that a denoiser and its ControlNets share. Absent keys have the defaults of diffusers 0.42.1,
/// `UNet2DConditionModel`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct DescentConfig {
    /// Channels of the latent: 4.
    pub in_channels: i64,
    /// Channels of each block, from the outermost to the innermost.
    pub block_out_channels: Vec<i64>,
    /// `CrossAttnDownBlock2D` or `DownBlock2D` each.
    pub down_block_types: Vec<String>,
    /// Residual blocks in each block.
    pub layers_per_block: PerBlock,
    /// Transformer layers after each residual block.
    pub transformer_layers_per_block: PerBlock,
    /// Width of the conditioning.
    pub cross_attention_dim: i64,
    /// The *number* of attention heads: the key's name is an old mistake which diffusers keeps.
    pub attention_head_dim: PerBlock,
    /// Whether the maps into and out of a transformer are saved as matrices instead of kernels of 1 x 1.
    pub use_linear_projection: bool,
    /// Groups of every group normalisation.
    pub norm_num_groups: i64,
    /// Its epsilon in residual blocks.
    pub norm_eps: f64,
    /// Cosines before sines in the embedding of the timestep.
    pub flip_sin_to_cos: bool,
    /// Subtracted from the number of frequencies in it.
    pub freq_shift: f64,
    /// Width of the guidance embedding of a latent consistency model; 256 where there is one.
    pub time_cond_proj_dim: Option<i64>,
    /// All other keys.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Default for DescentConfig {
    fn default() -> Self {
        let cross = "CrossAttnDownBlock2D".to_owned();
        Self {
            in_channels: 4,
            block_out_channels: vec![320, 640, 1280, 1280],
            down_block_types: vec![
                cross.clone(),
                cross.clone(),
                cross,
                "DownBlock2D".to_owned(),
            ],
            layers_per_block: PerBlock::All(2),
            transformer_layers_per_block: PerBlock::All(1),
            cross_attention_dim: 1280,
            attention_head_dim: PerBlock::All(8),
            use_linear_projection: false,
            norm_num_groups: 32,
            norm_eps: 1e-5,
            flip_sin_to_cos: true,
            freq_shift: 0.0,
            time_cond_proj_dim: None,
            rest: Map::new(),
        }
    }
}

/// One block's share of the configuration.
pub(crate) struct BlockConfig {
    pub(crate) channels: i64,
    pub(crate) layers: i64,
    /// None in a block without attention.
    pub(crate) transformer: Option<TransformerConfig>,
}

/// A transformer's share.
#[derive(Clone)]
pub(crate) struct TransformerConfig {
    pub(crate) layers: i64,
    pub(crate) heads: i64,
    pub(crate) conditioning: i64,
    pub(crate) linear: bool,
    pub(crate) groups: i64,
}

impl DescentConfig {
    /// Checks what is common to all blocks, and that every option outside this struct has the value that is built.
    pub(crate) fn check(&self) -> Result<(), WeightsError> {
        built_only(
            &self.rest,
            &[
                ("act_fn", json!("silu")),
                ("addition_embed_type", Value::Null),
                ("attention_type", json!("default")),
                ("center_input_sample", json!(false)),
                ("class_embed_type", Value::Null),
                ("class_embeddings_concat", json!(false)),
                ("conv_in_kernel", json!(3)),
                ("conv_out_kernel", json!(3)),
                ("conditioning_channels", json!(3)),
                ("controlnet_conditioning_channel_order", json!("rgb")),
                ("cross_attention_norm", Value::Null),
                ("downsample_padding", json!(1)),
                ("dual_cross_attention", json!(false)),
                ("encoder_hid_dim", Value::Null),
                ("encoder_hid_dim_type", Value::Null),
                ("global_pool_conditions", json!(false)),
                ("mid_block_only_cross_attention", json!(false)),
                ("mid_block_scale_factor", json!(1)),
                ("mid_block_type", json!("UNetMidBlock2DCrossAttn")),
                ("num_attention_heads", Value::Null),
                ("num_class_embeds", Value::Null),
                ("only_cross_attention", json!(false)),
                ("resnet_out_scale_factor", json!(1)),
                ("resnet_skip_time_act", json!(false)),
                ("resnet_time_scale_shift", json!("default")),
                ("reverse_transformer_layers_per_block", Value::Null),
                ("time_embedding_act_fn", Value::Null),
                ("time_embedding_dim", Value::Null),
                ("time_embedding_type", json!("positional")),
                ("timestep_post_act", Value::Null),
            ],
        )?;
        if self.block_out_channels.is_empty() {
            return Err(WeightsError::config(
                "block_out_channels",
                &self.block_out_channels,
                "where at least one block is needed",
            ));
        }
        sane(&self.block_out_channels, "block_out_channels")?;
        for &channels in &self.block_out_channels {
            divisible(channels, self.norm_num_groups, "norm_num_groups")?;
        }
        Ok(())
    }

    /// The blocks that `types` names, from the outermost to the innermost; `key` is where `types` stands.
    /// A type with attention is called `with`, one without it `without`.
    pub(crate) fn blocks(
        &self,
        types: &[String],
        key: &str,
        with: &str,
        without: &str,
    ) -> Result<Vec<BlockConfig>, WeightsError> {
        let count = self.block_out_channels.len();
        if types.len() != count {
            let reason = format!("where `block_out_channels` has {count} entries");
            return Err(WeightsError::config(key, types, reason));
        }
        let layers = self.layers_per_block.each(count, "layers_per_block")?;
        let mut blocks = Vec::with_capacity(count);
        for (at, name) in types.iter().enumerate() {
            let transformer = if name == with {
                Some(self.transformer(at)?)
            } else if name == without {
                None
            } else {
                let reason = format!("only `{with}` and `{without}` are built");
                return Err(WeightsError::config(key, name, reason));
            };
            blocks.push(BlockConfig {
                channels: self.block_out_channels[at],
                layers: layers[at],
                transformer,
            });
        }
        Ok(blocks)
    }

    /// The transformers of the block `at`, counted from the outermost.
    pub(crate) fn transformer(&self, at: usize) -> Result<TransformerConfig, WeightsError> {
        let count = self.block_out_channels.len();
        let heads = self.attention_head_dim.each(count, "attention_head_dim")?[at];
        divisible(self.block_out_channels[at], heads, "attention_head_dim")?;
        let layers = &self.transformer_layers_per_block;
        Ok(TransformerConfig {
            layers: layers.each(count, "transformer_layers_per_block")?[at],
            heads,
            conditioning: self.cross_attention_dim,
            linear: self.use_linear_projection,
            groups: self.norm_num_groups,
        })
    }

    /// Width of the embedded timestep.
    pub(crate) fn time_channels(&self) -> i64 {
        4 * self.block_out_channels[0]
    }
}

/// A denoiser's `config.json` (diffusers, `UNet2DConditionModel`). Options that change the arithmetic and are not
/// built are refused by name when the network is loaded.
#[derive(Clone, Debug, Deserialize)]
pub struct UnetConfig {
    /// The half that goes down, which ControlNets copy.
    #[serde(flatten)]
    pub descent: DescentConfig,
    /// Channels of what is predicted: 4.
    #[serde(default = "four")]
    pub out_channels: i64,
    /// `UpBlock2D` or `CrossAttnUpBlock2D` each, from the innermost to the outermost.
    #[serde(default = "up_block_types")]
    pub up_block_types: Vec<String>,
}

fn four() -> i64 {
    4
}

fn up_block_types() -> Vec<String> {
    let cross = "CrossAttnUpBlock2D".to_owned();
    vec!["UpBlock2D".to_owned(), cross.clone(), cross.clone(), cross]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_beyond_all_reckoning_are_refused_by_name() {
        for number in [i64::MIN, -32, 0, i64::MAX / 32 * 32] {
            let config = json!({"block_out_channels": [number]});
            let config: DescentConfig = serde_json::from_value(config).unwrap();
            let refusal = config.check().unwrap_err().to_string();
            assert!(refusal.contains("block_out_channels"), "{refusal}");
        }
    }
}
