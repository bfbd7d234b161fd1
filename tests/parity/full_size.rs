//! Every network at its published size: the names and shapes that diffusers writes are the ones that we ask for.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

use limn_models::controlnet::ControlNet;
use limn_models::safety::{ImageProcessor, SafetyChecker, SafetyCheckerConfig};
use limn_models::taesd::AutoencoderTiny;
use limn_models::unet::Unet;
use limn_models::vae::AutoencoderKl;
use limn_models::weights::{Scope, Weights, WeightsError, read_config};
use limn_tests::{python, workspace};
use serde::de::DeserializeOwned;
use tch::{Device, Kind};

/// The script that saves one network after the other in one folder.
struct Saver<'a> {
    ready: BufReader<ChildStdout>,
    next: ChildStdin,
    folder: &'a Path,
}

impl Saver<'_> {
    /// Loads what has been saved, whole, and lets the script go on.
    fn loads<C: DeserializeOwned, N>(
        &mut self,
        name: &str,
        load: impl Fn(&Scope<'_>, &C) -> Result<N, WeightsError>,
    ) {
        let mut line = String::new();
        self.ready.read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "ready", "{name} was not saved");
        let config: C = read_config(self.folder).unwrap();
        let weights = Weights::open(self.folder, None, Device::Cpu, Kind::Half).unwrap();
        let loaded = load(&weights.root(), &config).map(|_| ());
        loaded.unwrap_or_else(|error| panic!("{name}: {error}"));
        let finished = weights.finish(&[]).map(|_| ());
        finished.unwrap_or_else(|error| panic!("{name}: {error}"));
        self.next.write_all(b"\n").unwrap();
    }
}

#[test]
fn every_published_network_is_read_whole() {
    let names = [
        "sd15-unet",
        "sd-turbo-unet",
        "lcm-unet",
        "sd15-controlnet",
        "sd21-controlnet",
        "sd-vae",
        "taesd",
        "safety-checker",
    ];
    let root = workspace();
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("network");
    let mut child = Command::new(python())
        .arg(root.join("tests/parity/fixtures/full_size.py"))
        .args(names.map(|name| root.join(format!("models/configs/{name}.json"))))
        .arg(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot run {}: {error}", python().display()));
    let mut saver = Saver {
        ready: BufReader::new(child.stdout.take().unwrap()),
        next: child.stdin.take().unwrap(),
        folder: &folder,
    };
    saver.loads(names[0], Unet::load);
    saver.loads(names[1], Unet::load);
    saver.loads(names[2], Unet::load);
    saver.loads(names[3], ControlNet::load);
    saver.loads(names[4], ControlNet::load);
    saver.loads(names[5], AutoencoderKl::load);
    saver.loads(names[6], AutoencoderTiny::load);
    saver.loads(names[7], |scope, config: &SafetyCheckerConfig| {
        SafetyChecker::load(scope, config, ImageProcessor::default())
    });
    assert!(child.wait().unwrap().success());
}
