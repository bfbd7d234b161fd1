//! Checkpoints that are torn, foreign or not built: each gives the error that names what is wrong.

use std::fs;
use std::path::Path;

use limn_models::unet::{Unet, UnetConfig};
use limn_models::weights::{Weights, WeightsError, read_config};
use serde_json::{Value, json};
use tch::{Device, Kind, Tensor};

use limn_tests::fixture;

const FILE: &str = "diffusion_pytorch_model.safetensors";

fn load(folder: &Path) -> Result<(), WeightsError> {
    let config: UnetConfig = read_config(folder)?;
    let weights = Weights::open(folder, None, Device::Cpu, Kind::Float)?;
    Unet::load(&weights.root(), &config)?;
    weights.finish(&[]).map(|_| ())
}

/// The error of the fixture's denoiser after `spoil` has had its folder.
fn error_after(spoil: impl FnOnce(&Path)) -> WeightsError {
    let folder = tempfile::tempdir().unwrap();
    let source = fixture("networks/unet-sd15");
    for file in ["config.json", FILE] {
        fs::copy(source.join(file), folder.path().join(file)).unwrap();
    }
    load(folder.path()).expect("the copy is whole");
    spoil(folder.path());
    load(folder.path()).expect_err("the checkpoint is spoilt")
}

/// The error after `change` has had the tensors.
fn error_with(change: impl FnOnce(&mut Vec<(String, Tensor)>)) -> WeightsError {
    error_after(|folder| {
        let path = folder.join(FILE);
        let mut tensors = Tensor::read_safetensors(&path).unwrap();
        change(&mut tensors);
        Tensor::write_safetensors(&tensors, &path).unwrap();
    })
}

/// The error after the configuration says `value` for `key`.
fn error_configured(key: &str, value: Value) -> WeightsError {
    error_after(|folder| {
        let path = folder.join("config.json");
        let mut config: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        config[key] = value;
        fs::write(&path, config.to_string()).unwrap();
    })
}

#[test]
fn a_missing_tensor_is_named() {
    let error = error_with(|tensors| tensors.retain(|(key, _)| key != "conv_in.bias"));
    assert!(
        matches!(&error, WeightsError::Missing { key, .. } if key == "conv_in.bias"),
        "{error}"
    );
}

#[test]
fn tensors_that_nobody_reads_are_counted() {
    let error = error_with(|tensors| {
        for at in 0..7 {
            tensors.push((format!("stranger.{at}"), Tensor::from_slice(&[1f32])));
        }
    });
    let WeightsError::Leftover { count, first, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!((*count, first.len()), (7, 5));
    assert!(error.to_string().contains("`stranger.0`"), "{error}");
}

#[test]
fn a_wrong_shape_is_named_with_both_shapes() {
    let error = error_with(|tensors| {
        let conv = tensors.iter_mut().find(|(key, _)| key == "conv_in.weight");
        conv.unwrap().1 = Tensor::zeros([32, 5, 3, 3], (Kind::Float, Device::Cpu));
    });
    let text = error.to_string();
    assert!(matches!(error, WeightsError::Shape { .. }), "{text}");
    for part in ["`conv_in.weight`", "[32, 5, 3, 3]", "[32, 4, 3, 3]"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn whole_numbers_are_no_weights() {
    let error = error_with(|tensors| {
        let bias = tensors.iter_mut().find(|(key, _)| key == "conv_in.bias");
        bias.unwrap().1 = Tensor::zeros([32], (Kind::Int64, Device::Cpu));
    });
    assert!(
        matches!(&error, WeightsError::Dtype { dtype, .. } if dtype == "I64"),
        "{error}"
    );
}

#[test]
fn a_file_cut_short_anywhere_is_malformed() {
    for keep in [0, 5, 8, 100, 20_000, 1_000_000] {
        let error = error_after(|folder| {
            let path = folder.join(FILE);
            let whole = fs::read(&path).unwrap();
            assert!(keep < whole.len());
            fs::write(&path, &whole[..keep]).unwrap();
        });
        assert!(
            matches!(&error, WeightsError::Malformed { reason, .. } if reason.contains("cut short")),
            "{keep} bytes: {error}"
        );
    }
}

#[test]
fn what_is_no_safetensors_file_is_malformed() {
    let error = error_after(|folder| {
        let mut bytes = 16u64.to_le_bytes().to_vec();
        bytes.extend([b'x'; 64]);
        fs::write(folder.join(FILE), bytes).unwrap();
    });
    assert!(matches!(error, WeightsError::Malformed { .. }), "{error}");
}

#[test]
fn weights_of_another_format_are_listed() {
    let error = error_after(|folder| {
        let pickled = folder.join("diffusion_pytorch_model.bin");
        fs::rename(folder.join(FILE), pickled).unwrap();
    });
    let text = error.to_string();
    assert!(matches!(error, WeightsError::NotFound { .. }), "{text}");
    assert!(text.contains("`diffusion_pytorch_model.bin`"), "{text}");
}

#[test]
fn a_shard_outside_the_folder_is_refused() {
    let error = error_after(|folder| {
        fs::remove_file(folder.join(FILE)).unwrap();
        let index = json!({"weight_map": {"conv_in.weight": "../secret.safetensors"}});
        fs::write(folder.join(format!("{FILE}.index.json")), index.to_string()).unwrap();
    });
    assert!(
        error.to_string().contains("`../secret.safetensors`"),
        "{error}"
    );
}

#[test]
fn what_is_not_built_is_refused_by_its_key() {
    for (key, value) in [
        ("act_fn", json!("gelu")),
        ("addition_embed_type", json!("text_time")),
        ("attention_head_dim", json!([4, 4])),
        ("attention_head_dim", json!(5)),
        ("class_embed_type", json!("timestep")),
        (
            "down_block_types",
            json!(["AttnDownBlock2D", "DownBlock2D", "DownBlock2D"]),
        ),
        ("mid_block_type", json!("UNetMidBlock2D")),
        ("norm_num_groups", json!(7)),
        ("only_cross_attention", json!(true)),
        ("resnet_time_scale_shift", json!("scale_shift")),
        ("up_block_types", json!(["UpBlock2D", "UpBlock2D"])),
    ] {
        let error = error_configured(key, value.clone());
        assert!(
            matches!(&error, WeightsError::Config { key: named, .. } if named == key),
            "{key} = {value}: {error}"
        );
    }
    let error = error_configured("layers_per_block", json!("two"));
    assert!(matches!(error, WeightsError::Malformed { .. }), "{error}");
}
