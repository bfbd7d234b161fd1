//! The random checkpoint that `make run` paints with until there is a trained one: read whole, and its prompts show.

use limn_models::clip::{ClipConfig, ClipText};
use limn_models::hub::{Hub, Wants};
use limn_models::noise::{NoiseScheduler, Rule, SchedulerConfig};
use limn_models::tokenizer::Tokenizer;
use limn_models::weights::{Weights, read_config};
use limn_tests::{python, workspace};
use std::process::Command;
use tch::{Device, Kind};

#[test]
fn the_random_checkpoint_is_whole_and_opens_without_the_hub() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("random");
    let script = workspace().join("tests/parity/fixtures/small_checkpoint.py");
    let made = Command::new(python())
        .arg(script)
        .arg(&root)
        .output()
        .unwrap();
    // The script itself asserts that two prompts give pictures that are 8 of 255 apart.
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );

    let hub = Hub::new(
        folder.path().join("cache"),
        "http://127.0.0.1:1".to_owned(),
        None,
        true,
    );
    let parts = ["unet", "vae", "text_encoder", "tokenizer", "scheduler", "controlnet"];
    let checkpoint = hub
        .open(
            root.to_str().unwrap(),
            &Wants {
                parts: &parts,
                variant: None,
            },
        )
        .unwrap();
    let tokenizer = Tokenizer::open(&checkpoint.part("tokenizer")).unwrap();
    let text = checkpoint.part("text_encoder");
    let weights = Weights::open(&text, None, Device::Cpu, Kind::Float).unwrap();
    let encoder =
        ClipText::load(&weights.root(), &read_config::<ClipConfig>(&text).unwrap()).unwrap();
    weights.finish(ClipText::IGNORED).unwrap();
    let tokens = [
        tokenizer.encode("a cat").unwrap(),
        tokenizer.encode("a dog").unwrap(),
    ];
    let conditioning = encoder
        .forward(&limn_models::tokenizer::Tokens::batch(&tokens))
        .unwrap();
    assert_eq!(conditioning.size(), [2, 77, 64]);

    let config =
        std::fs::read_to_string(checkpoint.part("scheduler").join("scheduler_config.json"))
            .unwrap();
    let scheduler =
        NoiseScheduler::from_config(&SchedulerConfig::from_json(&config).unwrap()).unwrap();
    assert_eq!(
        scheduler.plan(2, 0.5, Rule::Generic).unwrap().steps[0].timestep,
        499.0
    );
}
