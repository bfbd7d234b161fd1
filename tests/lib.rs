//! What the test binaries share: a server under test, its clients, pipelines to drive it with, and where fixtures lie.

pub mod alone;
pub mod camera;
pub mod house;
pub mod http;
pub mod mjpeg;
pub mod painters;
pub mod pictures;

use std::path::PathBuf;

/// The folder `name` among the fixtures: in `LIMN_FIXTURES`, else in `.fixtures` of the repository.
///
/// # Panics
/// If it is not there, naming the command that makes it.
pub fn fixtures(name: &str) -> PathBuf {
    let root = std::env::var_os("LIMN_FIXTURES").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../.fixtures"),
        PathBuf::from,
    );
    let folder = root.join(name);
    let script = format!("tests/parity/fixtures/{name}.py");
    assert!(
        folder.is_dir(),
        "no fixtures in `{}`; make them: .venv/bin/python {script} {}",
        folder.display(),
        root.display()
    );
    folder
}
