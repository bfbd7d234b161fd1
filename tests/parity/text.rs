//! Text encoders and tokenizers beside transformers: tokens exactly, hidden states within 1e-4.

use std::path::{Path, PathBuf};

use limn_models::clip::{ClipConfig, ClipText};
use limn_models::tokenizer::{Tokenizer, TokenizerError, Tokens};
use limn_models::weights::{Weights, WeightsError, read_config};
use limn_tests::fixture;
use serde_json::Value;
use tch::{Device, Kind, Tensor};

use crate::nearness::{Case, assert_near};

const KINDS: [&str; 2] = ["quick_gelu", "gelu"];

/// The project's bound for a network in f32.
const BOUND: f64 = 1e-4;

struct Reference {
    folder: PathBuf,
    /// Each prompt, and how many tokens it has with start and end and before it is cut.
    prompts: Vec<(String, usize)>,
    tensors: Case,
}

fn reference(kind: &str) -> Reference {
    let folder = fixture("text").join(kind);
    let text = std::fs::read_to_string(folder.join("reference.json")).unwrap();
    let listed: Vec<Value> = serde_json::from_str(&text).unwrap();
    let prompts = listed.iter().map(|entry| {
        (
            entry["prompt"].as_str().unwrap().to_owned(),
            usize::try_from(entry["tokens"].as_u64().unwrap()).unwrap(),
        )
    });
    Reference {
        prompts: prompts.collect(),
        tensors: Case::open(&folder.join("reference.safetensors")),
        folder,
    }
}

fn encoder(folder: &Path, variant: Option<&str>, kind: Kind) -> Result<ClipText, WeightsError> {
    let weights = Weights::open(folder, variant, Device::Cpu, kind)?;
    let encoder = ClipText::load(&weights.root(), &read_config::<ClipConfig>(folder)?)?;
    weights.finish(ClipText::IGNORED)?;
    Ok(encoder)
}

#[test]
fn tokens_are_exactly_the_references() {
    for kind in KINDS {
        let reference = reference(kind);
        let ids = reference.tensors.get("ids");
        for folder in ["tokenizer", "tokenizer_whole"] {
            let tokenizer = Tokenizer::open(reference.folder.join(folder)).unwrap();
            assert_eq!(tokenizer.length(), 77);
            for (row, (prompt, tokens)) in reference.prompts.iter().enumerate() {
                let ours = tokenizer.encode(prompt).unwrap();
                let theirs: Vec<i64> = Vec::try_from(ids.get(row as i64)).unwrap();
                assert_eq!(ours.ids, theirs, "{kind}, {folder}: `{prompt}`");
                assert_eq!(
                    ours.left_out.is_some(),
                    *tokens > 77,
                    "{kind}, {folder}: `{prompt}`"
                );
            }
        }
    }
}

#[test]
fn what_did_not_fit_is_said_in_the_prompts_own_words() {
    let tokenizer = Tokenizer::open(reference("gelu").folder.join("tokenizer")).unwrap();
    // Each of these words is one token of the small vocabulary or several; the rest begins at a word of its own.
    let prompt = format!("{}The LAST words", "a ".repeat(75));
    assert_eq!(
        tokenizer.encode(&prompt).unwrap().left_out.as_deref(),
        Some("The LAST words")
    );
    let prompt = "a ".repeat(75);
    assert_eq!(tokenizer.encode(&prompt).unwrap().left_out, None);
    // Cut inside a sign of four bytes: the whole sign is named.
    let left_out = tokenizer
        .encode(&format!("{}🎨", "a ".repeat(73)))
        .unwrap()
        .left_out;
    assert_eq!(left_out.as_deref(), Some("🎨"));
}

#[test]
fn a_tokenizer_that_is_not_whole_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let error = Tokenizer::open(folder.path()).err().unwrap();
    assert!(
        matches!(&error, TokenizerError::Unreadable { path, .. } if path.ends_with("vocab.json")),
        "{error}"
    );
    std::fs::write(folder.path().join("vocab.json"), r#"{"a": 0}"#).unwrap();
    std::fs::write(folder.path().join("merges.txt"), "#version: 0.2\n").unwrap();
    let error = Tokenizer::open(folder.path()).err().unwrap().to_string();
    assert!(
        error.contains("lacks the token `<|startoftext|>`"),
        "{error}"
    );
    std::fs::write(folder.path().join("merges.txt"), "#version: 0.2\nno such\n").unwrap();
    let error = Tokenizer::open(folder.path()).err().unwrap().to_string();
    assert!(
        error.starts_with("not CLIP's vocabulary and merges"),
        "{error}"
    );
}

#[test]
fn hidden_states_are_the_references_in_each_layout() {
    for kind in KINDS {
        let reference = reference(kind);
        let ids = reference.tensors.get("ids");
        for (name, variant, theirs) in [
            ("", None, "hidden"),
            ("_hub", None, "hidden"),
            ("_f16", Some("fp16"), "hidden_f16"),
        ] {
            let folder = reference.folder.join(format!("text_encoder{name}"));
            let ours = encoder(&folder, variant, Kind::Float)
                .unwrap()
                .forward(ids)
                .unwrap();
            assert_near(
                &format!("{kind}{name}"),
                &ours,
                reference.tensors.get(theirs),
                BOUND,
            );
        }
    }
}

#[test]
fn a_batch_of_prompts_equals_its_singles() {
    for kind in KINDS {
        let reference = reference(kind);
        let tokenizer = Tokenizer::open(reference.folder.join("tokenizer")).unwrap();
        let encoder = encoder(&reference.folder.join("text_encoder"), None, Kind::Float).unwrap();
        let tokens: Vec<Tokens> = reference
            .prompts
            .iter()
            .take(3)
            .map(|(prompt, _)| tokenizer.encode(prompt).unwrap())
            .collect();
        let batch = encoder.forward(&Tokens::batch(&tokens)).unwrap();
        let singles: Vec<Tensor> = tokens
            .chunks(1)
            .map(|single| encoder.forward(&Tokens::batch(single)).unwrap())
            .collect();
        // Other sizes take other kernels, which sum in another order.
        assert_near(kind, &batch, &Tensor::cat(&singles, 0), 1e-5);
    }
}

#[test]
fn half_kinds_stay_near() {
    let reference = reference("gelu");
    let folder = reference.folder.join("text_encoder");
    let ids = reference.tensors.get("ids").narrow(0, 0, 4);
    let theirs = reference.tensors.get("hidden").narrow(0, 0, 4);
    // bf16 keeps 8 bits and f16 keeps 11, through four layers.
    for (kind, bound) in [(Kind::BFloat16, 0.05), (Kind::Half, 0.01)] {
        let ours = encoder(&folder, None, kind).unwrap().forward(&ids).unwrap();
        assert_eq!(ours.kind(), kind);
        assert_near(&format!("{kind:?}"), &ours, &theirs, bound);
    }
}

#[test]
fn an_activation_that_is_not_built_is_refused() {
    let config: ClipConfig = serde_json::from_str(r#"{"hidden_act":"relu"}"#).unwrap();
    let weights = Weights::random(1, Device::Cpu, Kind::Float);
    let error = ClipText::load(&weights.root(), &config)
        .err()
        .unwrap()
        .to_string();
    assert_eq!(
        error,
        "config key `hidden_act` is \"relu\", where `quick_gelu` or `gelu` is known"
    );
}
