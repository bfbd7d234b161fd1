//! The safety checker beside transformers and diffusers: pictures within one byte step, embeddings within 1e-4, verdicts
//! exactly.

use limn_models::folder::Folder;
use limn_models::safety::{ImageProcessor, SafetyChecker, SafetyCheckerConfig};
use limn_models::weights::{Weights, WeightsError, read_config};
use limn_tests::fixture;
use serde_json::json;
use tch::{Device, Kind, Tensor};

use crate::nearness::{Case, assert_near, distance};

/// The project's bound for a network in f32.
const BOUND: f64 = 1e-4;

/// One step of a byte, after the division by the smallest of CLIP's deviations.
const STEP: f64 = 1.0 / 255.0 / 0.261_302_58;

/// The pictures of `case.safetensors`.
const PICTURES: usize = 7;

fn load(name: &str, kind: Kind) -> Result<SafetyChecker, WeightsError> {
    let folder = Folder::from(fixture("safety").join(name));
    let weights = Weights::open(&folder, None, Device::Cpu, kind)?;
    let config: SafetyCheckerConfig = read_config(&folder)?;
    let checker = SafetyChecker::load(&weights.root(), &config, ImageProcessor::open(&folder)?)?;
    weights.finish(SafetyChecker::IGNORED)?;
    Ok(checker)
}

fn case() -> Case {
    Case::open(&fixture("safety/checker").join("case.safetensors"))
}

/// `[H, W, 3]` of bytes as `[1, 3, H, W]` in 0..1.
fn upload(bytes: &Tensor) -> Tensor {
    (bytes.to_kind(Kind::Float) / 255.0)
        .permute([2, 0, 1])
        .unsqueeze(0)
}

fn verdicts(tensor: &Tensor) -> Vec<bool> {
    Vec::<bool>::try_from(tensor).unwrap()
}

#[test]
fn pictures_are_processed_as_pillow_does() {
    let _guard = tch::no_grad_guard();
    let case = Case::open(&fixture("safety").join("pictures.safetensors"));
    let processor = ImageProcessor::default();
    for size in [
        "512x512", "600x400", "333x447", "1024x576", "96x72", "224x224",
    ] {
        let ours = processor.forward(&upload(case.get(&format!("picture_{size}"))));
        let difference = (ours.unwrap() - case.get(&format!("out_{size}"))).abs();
        let largest = difference.max().double_value(&[]);
        let off = difference.gt(0.5 * STEP).to_kind(Kind::Float);
        let off = off.mean(Kind::Float).double_value(&[]);
        println!(
            "{size}: largest difference {:.3} of a byte step, {off:.1e} of the values",
            largest / STEP
        );
        assert!(largest <= 1.05 * STEP, "{size}: {largest}");
        assert!(off <= 1e-3, "{size}: {off}");
    }
}

#[test]
fn embeddings_and_verdicts_are_the_references() {
    let _guard = tch::no_grad_guard();
    let case = case();
    let theirs = verdicts(&case.get("out_verdicts").to_kind(Kind::Bool));
    assert_eq!(theirs, [true, false, true, false, false, false, true]);
    for name in ["checker", "hub"] {
        let checker = load(name, Kind::Float).unwrap();
        let embeddings = checker.embed(case.get("out_processed")).unwrap();
        assert_near(name, &embeddings, case.get("out_embeddings"), BOUND);
        assert_eq!(verdicts(&checker.judge(&embeddings).unwrap()), theirs);
        for (at, verdict) in theirs.iter().enumerate() {
            let picture = upload(case.get(&format!("picture_{at}")));
            let ours = verdicts(&checker.verdicts(&picture).unwrap());
            assert_eq!(ours, [*verdict], "{name}, picture {at}");
        }
    }
}

#[test]
fn a_batch_of_pictures_is_judged_as_each_alone() {
    let _guard = tch::no_grad_guard();
    let checker = load("checker", Kind::Float).unwrap();
    let case = case();
    // Pictures of a batch have one size.
    let square = |at: usize| {
        upload(case.get(&format!("picture_{at}"))).upsample_bilinear2d([80, 80], false, None, None)
    };
    let pictures: Vec<Tensor> = (0..PICTURES).map(square).collect();
    let together = checker.verdicts(&Tensor::cat(&pictures, 0)).unwrap();
    for (at, picture) in pictures.iter().enumerate() {
        let alone = verdicts(&checker.verdicts(picture).unwrap());
        assert_eq!(alone, [verdicts(&together)[at]], "picture {at}");
    }
}

#[test]
fn all_and_none_are_flagged_where_the_thresholds_say_so() {
    let _guard = tch::no_grad_guard();
    for (name, flagged) in [("all", true), ("none", false)] {
        let checker = load(name, Kind::Float).unwrap();
        let ours = checker.verdicts(&Tensor::rand([3, 3, 64, 96], (Kind::Float, Device::Cpu)));
        assert_eq!(verdicts(&ours.unwrap()), [flagged; 3], "{name}");
    }
}

#[test]
fn an_embedding_that_is_no_number_is_flagged() {
    let checker = load("none", Kind::Float).unwrap();
    let broken = Tensor::full([2, 24], f64::NAN, (Kind::Float, Device::Cpu));
    let _ = broken.get(1).fill_(1.0);
    assert_eq!(verdicts(&checker.judge(&broken).unwrap()), [true, false]);
}

#[test]
fn half_precision_stays_near() {
    let _guard = tch::no_grad_guard();
    let case = case();
    for (kind, bound) in [(Kind::BFloat16, 0.05), (Kind::Half, 0.01)] {
        let checker = load("checker", kind).unwrap();
        let ours = checker.embed(case.get("out_processed")).unwrap();
        assert_eq!(ours.kind(), Kind::Float);
        assert_near(
            &format!("{kind:?}"),
            &ours,
            case.get("out_embeddings"),
            bound,
        );
        assert!(distance(&ours, case.get("out_embeddings")) > 0.0);
        // The clear cases; the others are nearer to the border than these kinds can tell.
        let ours = verdicts(&checker.judge(&ours).unwrap());
        assert_eq!(
            (ours[0], ours[1], ours[4]),
            (true, false, false),
            "{kind:?}"
        );
    }
}

#[test]
fn what_is_not_built_is_refused_by_its_key() {
    for (patch, words) in [
        (
            json!({"do_resize": false}),
            "config key `do_resize` is false, where true is built",
        ),
        (
            json!({"do_center_crop": false}),
            "`do_center_crop` is false",
        ),
        (json!({"do_rescale": false}), "`do_rescale` is false"),
        (json!({"do_normalize": false}), "`do_normalize` is false"),
        (
            json!({"resample": 2}),
            "`resample` is 2, where 3, bicubic, is built",
        ),
        (json!({"rescale_factor": 1.0}), "`rescale_factor` is 1.0"),
        (
            json!({"size": {"height": 9, "width": 9}}),
            "`size` is {\"height\":9,\"width\":9}",
        ),
        (
            json!({"crop_size": {"height": 20, "width": 30}}),
            "`crop_size`",
        ),
        (
            json!({"size": 100, "crop_size": 224}),
            "where a square of at most 100 is built",
        ),
        (
            json!({"image_mean": [0.5]}),
            "not an image processor's configuration",
        ),
    ] {
        let error = ImageProcessor::from_json(&patch.to_string()).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    for (vision, words) in [
        (
            json!({"num_channels": 4}),
            "config key `num_channels` is 4, where 3 is known",
        ),
        (
            json!({"hidden_act": "silu"}),
            "config key `hidden_act` is \"silu\"",
        ),
        (
            json!({"num_attention_heads": 5}),
            "config key `num_attention_heads` is 5",
        ),
        (json!({"patch_size": 0}), "config key `patch_size` is 0"),
        (
            json!({"image_size": 336}),
            "config key `image_size` is 336, and the image processor's crop_size 224",
        ),
    ] {
        let config = json!({ "vision_config": vision }).to_string();
        let config: SafetyCheckerConfig = serde_json::from_str(&config).unwrap();
        let weights = Weights::random(1, Device::Cpu, Kind::Float);
        let loaded = SafetyChecker::load(&weights.root(), &config, ImageProcessor::default());
        let error = loaded.err().unwrap().to_string();
        assert!(error.contains(words), "{error}");
    }
}
