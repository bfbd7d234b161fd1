//! Both text encoders at their published size, under the names that the hub's files have.

use std::process::Command;

use limn_models::clip::{ClipConfig, ClipText};
use limn_models::weights::{Weights, read_config};
use limn_tests::{python, workspace};
use tch::{Device, Kind, Tensor};

// One after the other, so that only one lies on the disk.
#[test]
fn every_published_text_encoder_is_read_whole() {
    for (name, width) in [("sd15-text", 768), ("sd-turbo-text", 1024)] {
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new(python())
            .arg(workspace().join("tests/parity/fixtures/full_size_text.py"))
            .arg(workspace().join(format!("models/configs/{name}.json")))
            .arg(folder.path())
            .output()
            .unwrap_or_else(|error| panic!("cannot run {}: {error}", python().display()));
        assert!(
            made.status.success(),
            "{name}: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        let config: ClipConfig = read_config(folder.path()).unwrap();
        let weights = Weights::open(folder.path(), None, Device::Cpu, Kind::Half).unwrap();
        let encoder = ClipText::load(&weights.root(), &config).unwrap();
        weights.finish(ClipText::IGNORED).unwrap();
        // Two tokens are enough to see the width, and f16 is slow on a CPU.
        let ids = Tensor::from_slice(&[49406i64, 49407]).unsqueeze(0);
        assert_eq!(encoder.forward(&ids).unwrap().size(), [1, 2, width]);
    }
}
