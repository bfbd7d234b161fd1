//! Keys as older files on the hub spell them, in today's naming.

/// The four linear maps of the attention in autoencoders saved before diffusers 0.18, and what they are called now
/// (diffusers, `ModelMixin._fix_state_dict_keys_on_load` and the deprecated attention block).
const ATTENTION: [(&str, &str); 4] = [
    ("query", "to_q"),
    ("key", "to_k"),
    ("value", "to_v"),
    ("proj_attn", "to_out.0"),
];

/// The prefix that transformers wrote before its fifth version to the keys of a text encoder.
const TEXT_PREFIX: &str = "text_model.";

/// The same for the half that sees, inside a safety checker.
const VISION_PREFIX: (&str, &str) = ("vision_model.vision_model.", "vision_model.");

/// Today's name of a file's key.
pub(super) fn today(key: &str) -> String {
    if let Some(rest) = key.strip_prefix(VISION_PREFIX.0) {
        return format!("{}{rest}", VISION_PREFIX.1);
    }
    let key = key.strip_prefix(TEXT_PREFIX).unwrap_or(key);
    // `….attentions.0.query.weight`: the old name is the last but one part of the key, under an attention.
    let mut parts: Vec<&str> = key.split('.').collect();
    if let [.., "attentions", _, name, _] = parts[..]
        && let Some((_, new)) = ATTENTION.iter().find(|(old, _)| *old == name)
    {
        let at = parts.len() - 2;
        parts[at] = new;
    }
    parts.join(".")
}

#[cfg(test)]
mod tests {
    use super::today;

    #[test]
    fn old_attention_names_become_todays() {
        assert_eq!(
            today("encoder.mid_block.attentions.0.query.weight"),
            "encoder.mid_block.attentions.0.to_q.weight"
        );
        assert_eq!(
            today("decoder.mid_block.attentions.0.proj_attn.bias"),
            "decoder.mid_block.attentions.0.to_out.0.bias"
        );
    }

    #[test]
    fn the_text_prefix_goes() {
        assert_eq!(
            today("text_model.final_layer_norm.weight"),
            "final_layer_norm.weight"
        );
    }

    #[test]
    fn the_doubled_prefix_is_said_once() {
        assert_eq!(
            today("vision_model.vision_model.pre_layrnorm.bias"),
            "vision_model.pre_layrnorm.bias"
        );
    }

    #[test]
    fn todays_names_stay() {
        for key in [
            "down_blocks.0.attentions.1.proj_in.weight",
            "mid_block.attentions.0.to_q.weight",
            "key.weight",
            "vision_model.pre_layrnorm.bias",
        ] {
            assert_eq!(today(key), key);
        }
    }
}
