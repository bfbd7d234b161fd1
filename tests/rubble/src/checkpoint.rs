//! The files of a checkpoint, which people fetch from wherever they like. The first byte chooses which file the rest is.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use limn_models::clip::{ClipConfig, ClipText};
use limn_models::controlnet::{ControlNet, ControlNetConfig};
use limn_models::noise::{Algorithm, NoiseScheduler, Rule, SchedulerConfig};
use limn_models::tokenizer::Tokenizer;
use limn_models::unet::{Unet, UnetConfig};
use limn_models::vae::{AutoencoderKl, AutoencoderKlConfig};
use limn_models::weights::{Scope, Weights, WeightsError, parse_config};
use tch::{Device, Kind};
use tempfile::TempDir;

use crate::text;

thread_local! {
    static FOLDER: OnceCell<TempDir> = const { OnceCell::new() };
}

const WEIGHTS: &str = "model.safetensors";

/// # Panics
/// If the system has no room for files.
pub fn read(input: &[u8]) {
    let Some((kind, bytes)) = input.split_first() else {
        return;
    };
    let words = text::of(bytes);
    match kind % 10 {
        0 => tensors(bytes),
        1 => network("unet", words, |scope, config: UnetConfig| {
            Unet::load(scope, &config).map(drop)
        }),
        2 => network("vae", words, |scope, config: AutoencoderKlConfig| {
            AutoencoderKl::load(scope, &config).map(drop)
        }),
        3 => network("text_encoder", words, |scope, config: ClipConfig| {
            ClipText::load(scope, &config).map(drop)
        }),
        4 => network("controlnet", words, |scope, config: ControlNetConfig| {
            ControlNet::load(scope, &config).map(drop)
        }),
        5 => schedule(words),
        6 => tokenizer(&[("tokenizer.json", bytes)]),
        7 => tokenizer(&[
            ("tokenizer_config.json", bytes),
            ("vocab.json", &embedded("tokenizer/vocab.json")),
            ("merges.txt", &embedded("tokenizer/merges.txt")),
        ]),
        8 => {
            let end = bytes.iter().position(|byte| *byte == 0);
            let (vocab, merges) = bytes.split_at(end.unwrap_or(bytes.len()));
            let merges = merges.get(1..).unwrap_or_default();
            tokenizer(&[("vocab.json", vocab), ("merges.txt", merges)]);
        }
        _ => {
            let index = "model.safetensors.index.json";
            lay(&[(index, bytes)], |folder| drop(open(folder)));
        }
    }
}

/// Hands `act` a folder with these files and no others.
fn lay(files: &[(&str, &[u8])], act: impl FnOnce(&Path)) {
    FOLDER.with(|folder| {
        let folder = folder.get_or_init(|| TempDir::new().expect("room for a folder"));
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes).expect("room for a file");
        }
        act(folder.path());
        for (name, _) in files {
            std::fs::remove_file(folder.path().join(name)).expect("it was there");
        }
    });
}

fn open(folder: &Path) -> Result<Weights, WeightsError> {
    Weights::open(folder, None, Device::Cpu, Kind::Float)
}

/// Opens a file of tensors and reads the first that it says it has.
fn tensors(bytes: &[u8]) {
    lay(&[(WEIGHTS, bytes)], |folder| {
        let Ok(weights) = open(folder) else { return };
        let Err(WeightsError::Leftover { first, .. }) = weights.finish(&[]) else {
            return;
        };
        for key in first {
            let ask = |shape: &[i64]| open(folder)?.root().tensor(&key, shape);
            if let Err(WeightsError::Shape { found, .. }) = ask(&[-1])
                && let Ok(tensor) = ask(&found)
            {
                assert_eq!(tensor.size(), found);
            }
        }
    });
}

/// Another configuration for a component of the small checkpoint.
fn network<C: serde::de::DeserializeOwned>(
    name: &str,
    config: &str,
    load: impl FnOnce(&Scope<'_>, C) -> Result<(), WeightsError>,
) {
    let Ok(config) = parse_config(config, name) else {
        return;
    };
    let weights = open(&checkpoint().join(name)).expect("the small checkpoint is whole");
    if load(&weights.root(), config).is_ok() {
        drop(weights.finish(&[]));
    }
}

fn schedule(words: &str) {
    let Ok(config) = SchedulerConfig::from_json(words) else {
        return;
    };
    for algorithm in [Algorithm::Lcm, Algorithm::Euler, Algorithm::Ddim] {
        let Ok(scheduler) = NoiseScheduler::new(algorithm, &config) else {
            continue;
        };
        for rule in [Rule::Generic, Rule::LcmOwn] {
            for (steps, strength) in [(1, 1.0), (4, 0.5), (50, 0.9), (1_000, 1.0)] {
                if let Ok(plan) = scheduler.plan(steps, strength, rule) {
                    assert!((1..=steps).contains(&plan.steps.len()));
                }
            }
        }
    }
}

fn tokenizer(files: &[(&str, &[u8])]) {
    lay(files, |folder| {
        let Ok(tokenizer) = Tokenizer::open(folder) else {
            return;
        };
        for prompt in ["", "a fox in neon rain", "Zoë's ＡＢＣ \u{1f98a}\u{200d}!!"] {
            if let Ok(tokens) = tokenizer.encode(prompt) {
                assert_eq!(tokens.ids.len(), tokenizer.length());
            }
        }
    });
}

fn checkpoint() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/embedded")
}

fn embedded(name: &str) -> Vec<u8> {
    std::fs::read(checkpoint().join(name)).expect("the small checkpoint is whole")
}
