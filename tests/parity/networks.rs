//! Each network against diffusers, f32 on the CPU: max|a-b| / max|b| at most 1e-4.

use std::path::Path;

use limn_models::controlnet::{ControlNet, ControlNetConfig};
use limn_models::taesd::{AutoencoderTiny, AutoencoderTinyConfig};
use limn_models::unet::{Unet, UnetConfig};
use limn_models::vae::{AutoencoderKl, AutoencoderKlConfig};
use limn_models::weights::{Scope, Weights, WeightsError, read_config};
use serde::de::DeserializeOwned;
use tch::{Device, Kind, Tensor, no_grad};

use limn_tests::fixture;

use crate::nearness::{Case, assert_near, distance};

const BOUND: f64 = 1e-4;
/// A batch against its singles: only the order of sums may differ.
const BATCH_BOUND: f64 = 1e-5;

/// Opens, builds and settles the network in `folder`.
fn load<C: DeserializeOwned, N>(
    folder: &Path,
    variant: Option<&str>,
    build: impl Fn(&Scope<'_>, &C) -> Result<N, WeightsError>,
) -> Result<N, WeightsError> {
    let config = read_config(folder)?;
    let weights = Weights::open(folder, variant, Device::Cpu, Kind::Float)?;
    let network = build(&weights.root(), &config)?;
    assert!(weights.finish(&[])?.step(1)?, "nothing moves on the CPU");
    Ok(network)
}

fn load_unet(folder: &Path) -> Unet {
    load::<UnetConfig, _>(folder, None, Unet::load).unwrap()
}

fn run_unet(unet: &Unet, case: &Case, guidance: Option<&Tensor>) -> Tensor {
    let emb = unet.embed_time(case.get("timesteps"), guidance).unwrap();
    unet.forward(case.get("sample"), &emb, case.get("conditioning"), None)
        .unwrap()
}

#[test]
fn unet_is_diffusers() {
    let _guard = tch::no_grad_guard();
    for name in ["unet-sd15", "unet-sd21", "unet-lcm"] {
        let folder = fixture(&format!("networks/{name}"));
        let unet = load_unet(&folder);
        for file in ["case", "odd"] {
            let case = Case::open(&folder.join(format!("{file}.safetensors")));
            let ours = run_unet(&unet, &case, None);
            assert_near(&format!("{name} {file}"), &ours, case.get("out"), BOUND);
        }
    }
}

#[test]
fn unet_reads_the_guidance_of_a_consistency_model() {
    let _guard = tch::no_grad_guard();
    let folder = fixture("networks/unet-lcm");
    let unet = load_unet(&folder);
    let case = Case::open(&folder.join("case.safetensors"));
    let ours = run_unet(&unet, &case, Some(case.get("guidance")));
    assert_near("guided", &ours, case.get("out_guided"), BOUND);
    assert!(distance(case.get("out"), case.get("out_guided")) > 100.0 * BOUND);
}

#[test]
fn a_batch_of_three_is_three_singles() {
    let _guard = tch::no_grad_guard();
    let folder = fixture("networks/unet-sd21");
    let unet = load_unet(&folder);
    let case = Case::open(&folder.join("case.safetensors"));
    let batch = run_unet(&unet, &case, None);
    for at in 0..3 {
        let one = |name: &str| case.get(name).narrow(0, at, 1);
        let emb = unet.embed_time(&one("timesteps"), None).unwrap();
        let single = unet
            .forward(&one("sample"), &emb, &one("conditioning"), None)
            .unwrap();
        let name = format!("single {at}");
        assert_near(&name, &single, &batch.narrow(0, at, 1), BATCH_BOUND);
    }
}

#[test]
fn one_time_embedding_serves_a_batch() {
    let _guard = tch::no_grad_guard();
    let folder = fixture("networks/unet-sd15");
    let unet = load_unet(&folder);
    let case = Case::open(&folder.join("case.safetensors"));
    let run = |timesteps: &Tensor| {
        let emb = unet.embed_time(timesteps, None).unwrap();
        unet.forward(case.get("sample"), &emb, case.get("conditioning"), None)
            .unwrap()
    };
    let one = run(&Tensor::from_slice(&[499i64]));
    let each = run(&Tensor::from_slice(&[499i64, 499, 499]));
    assert_near("one timestep", &one, &each, BATCH_BOUND);
}

#[test]
fn controlnet_is_diffusers() {
    let _guard = tch::no_grad_guard();
    for name in ["controlnet-sd15", "controlnet-sd21"] {
        let folder = fixture(&format!("networks/{name}"));
        let control = load::<ControlNetConfig, _>(&folder, None, ControlNet::load).unwrap();
        let case = Case::open(&folder.join("case.safetensors"));
        let emb = control.embed_time(case.get("timesteps"), None).unwrap();
        let hint = control.embed_hint(case.get("edges")).unwrap();
        let residuals = control
            .forward(
                case.get("sample"),
                &emb,
                case.get("conditioning"),
                &hint,
                case.get("scale"),
            )
            .unwrap();
        assert_near(name, &residuals.mid, case.get("out_mid"), BOUND);
        for (at, residual) in residuals.down.iter().enumerate() {
            let out = case.get(&format!("out_down_{at:02}"));
            assert_near(&format!("{name} {at}"), residual, out, BOUND);
        }

        let unet = load_unet(&folder.join("unet"));
        let emb = unet.embed_time(case.get("timesteps"), None).unwrap();
        let (sample, conditioning) = (case.get("sample"), case.get("conditioning"));
        let steered = unet
            .forward(sample, &emb, conditioning, Some(&residuals))
            .unwrap();
        assert_near("steered", &steered, case.get("out_unet"), BOUND);
        let free = unet.forward(sample, &emb, conditioning, None).unwrap();
        assert!(distance(&free, &steered) > 100.0 * BOUND);
    }
}

#[test]
fn autoencoder_is_diffusers() {
    let _guard = tch::no_grad_guard();
    for name in ["vae", "vae-bare", "layouts/old-vae"] {
        let folder = fixture(&format!("networks/{name}"));
        let vae = load::<AutoencoderKlConfig, _>(&folder, None, AutoencoderKl::load).unwrap();
        let case = Case::open(&folder.join("case.safetensors"));
        let near = |out: &str, ours: &Tensor| {
            assert_near(&format!("{name} {out}"), ours, case.get(out), BOUND);
        };
        let moments = vae.encode(case.get("picture")).unwrap();
        near("out_mean", &moments.mode());
        near("out_log_variance", &moments.log_variance);
        near("out_sample", &moments.sample(case.get("noise")).unwrap());
        near("out_decoded", &vae.decode(case.get("latent")).unwrap());
    }
}

#[test]
fn autoencoders_scale_there_and_back() {
    let folder = fixture("networks/vae-bare");
    let vae = load::<AutoencoderKlConfig, _>(&folder, None, AutoencoderKl::load).unwrap();
    let latent = Tensor::from_slice(&[0.1f32, 2.1, -1.9]);
    // (z - 0.1) * 0.5, the factors that the fixture's configuration has.
    let scaled = vae.scale(&latent).unwrap();
    assert_near(
        "scaled",
        &scaled,
        &Tensor::from_slice(&[0f32, 1.0, -1.0]),
        1e-6,
    );
    assert_near("back", &vae.unscale(&scaled).unwrap(), &latent, 1e-6);
}

#[test]
fn tiny_autoencoder_is_diffusers() {
    let _guard = tch::no_grad_guard();
    for name in ["taesd", "layouts/unaligned"] {
        let folder = fixture(&format!("networks/{name}"));
        let tiny = load::<AutoencoderTinyConfig, _>(&folder, None, AutoencoderTiny::load).unwrap();
        let case = Case::open(&folder.join("case.safetensors"));
        let encoded = tiny.encode(case.get("picture")).unwrap();
        assert_near("encoded", &encoded, case.get("out_encoded"), BOUND);
        let decoded = tiny.decode(case.get("latent")).unwrap();
        assert_near("decoded", &decoded, case.get("out_decoded"), BOUND);
    }
}

#[test]
fn every_layout_of_the_hub_is_read() {
    for (name, variant) in [
        ("f16", None),
        ("bf16", None),
        ("variant", Some("fp16")),
        ("sharded", None),
        ("sharded-variant", Some("fp16")),
        // Asked for a variant that this part of a checkpoint lacks: the plain file.
        ("sharded", Some("fp16")),
    ] {
        let folder = fixture(&format!("networks/layouts/{name}"));
        let unet = load::<UnetConfig, _>(&folder, variant, Unet::load).unwrap();
        let case = Case::open(&folder.join("case.safetensors"));
        let ours = no_grad(|| run_unet(&unet, &case, None));
        assert_near(name, &ours, case.get("out"), BOUND);
    }
}

#[test]
fn half_precision_stays_near() {
    let _guard = tch::no_grad_guard();
    let folder = fixture("networks/unet-sd21");
    let config: UnetConfig = read_config(&folder).unwrap();
    let case = Case::open(&folder.join("case.safetensors"));
    // Roundings of 2^-9 and 2^-12 add up on a road of forty layers: 1.2e-2 and 1.3e-3 were measured.
    for (kind, bound) in [(Kind::BFloat16, 0.05), (Kind::Half, 0.01)] {
        let weights = Weights::open(&folder, None, Device::Cpu, kind).unwrap();
        let unet = Unet::load(&weights.root(), &config).unwrap();
        weights.finish(&[]).unwrap();
        let emb = unet.embed_time(case.get("timesteps"), None).unwrap();
        let input = |name| case.get(name).to_kind(kind);
        let ours = unet
            .forward(&input("sample"), &emb, &input("conditioning"), None)
            .unwrap();
        assert_eq!(ours.kind(), kind);
        assert_near(&format!("{kind:?}"), &ours, case.get("out"), bound);
    }
}

#[test]
fn random_weights_make_finite_pictures() {
    let _guard = tch::no_grad_guard();
    let folder = fixture("networks/unet-sd15");
    let config: UnetConfig = read_config(&folder).unwrap();
    let case = Case::open(&folder.join("case.safetensors"));
    let run = |seed| {
        let weights = Weights::random(seed, Device::Cpu, Kind::Float);
        let unet = Unet::load(&weights.root(), &config).unwrap();
        assert!(weights.finish(&[]).unwrap().step(1).unwrap());
        run_unet(&unet, &case, None)
    };
    let picture = run(1);
    let deviation = picture.std(false).double_value(&[]);
    assert!(deviation > 0.01 && deviation < 100.0, "{deviation}");
    assert_eq!(picture, run(1));
}
