//! Every network at its published size: the names and shapes that diffusers writes are the ones that we ask for.

use std::path::Path;
use std::process::Command;

use limn_models::controlnet::ControlNet;
use limn_models::taesd::AutoencoderTiny;
use limn_models::unet::Unet;
use limn_models::vae::AutoencoderKl;
use limn_models::weights::{Scope, Weights, WeightsError, read_config};
use serde::de::DeserializeOwned;
use tch::{Device, Kind};

use limn_tests::{python, workspace};

/// Saves the network by diffusers, with random f16 weights, loads it, and leaves nothing on the disk.
fn loads<C: DeserializeOwned, N>(
    name: &str,
    load: impl Fn(&Scope<'_>, &C) -> Result<N, WeightsError>,
) {
    let folder = tempfile::tempdir().unwrap();
    make(name, folder.path());
    let config: C = read_config(folder.path()).unwrap();
    let weights = Weights::open(folder.path(), None, Device::Cpu, Kind::Half).unwrap();
    load(&weights.root(), &config).unwrap();
    weights.finish(&[]).unwrap();
}

fn make(name: &str, folder: &Path) {
    let output = Command::new(python())
        .arg(workspace().join("tests/parity/fixtures/full_size.py"))
        .arg(workspace().join(format!("models/configs/{name}.json")))
        .arg(folder)
        .output()
        .unwrap_or_else(|error| panic!("cannot run {}: {error}", python().display()));
    assert!(
        output.status.success(),
        "{name}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

// One after the other, so that only one lies on the disk.
#[test]
fn every_published_network_is_read_whole() {
    loads("sd15-unet", Unet::load);
    loads("sd-turbo-unet", Unet::load);
    loads("lcm-unet", Unet::load);
    loads("sd15-controlnet", ControlNet::load);
    loads("sd21-controlnet", ControlNet::load);
    loads("sd-vae", AutoencoderKl::load);
    loads("taesd", AutoencoderTiny::load);
}
