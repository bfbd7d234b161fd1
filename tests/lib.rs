//! What the test binaries share: a server under test, its clients, pipelines to drive it with, and where fixtures lie.

pub mod alone;
pub mod camera;
pub mod house;
pub mod http;
pub mod mjpeg;
pub mod painters;
pub mod pictures;
pub mod process;
pub mod table;

use std::path::{Path, PathBuf};

/// The workspace's folder.
#[must_use]
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A folder or file below the fixtures: `LIMN_FIXTURES`, else `.fixtures` of the workspace. The first part of `path`
/// is the name of the script under `tests/parity/fixtures/` that makes it.
///
/// # Panics
///
/// When it is missing, with the command that makes it.
#[must_use]
pub fn fixture(path: &str) -> PathBuf {
    let root =
        std::env::var_os("LIMN_FIXTURES").map_or(workspace().join(".fixtures"), PathBuf::from);
    let found = root.join(path);
    let script = path.split('/').next().unwrap_or(path);
    assert!(
        found.exists(),
        "no fixture `{path}`; make it with `.venv/bin/python tests/parity/fixtures/{script}.py {}`",
        root.display()
    );
    found
}

/// The Python that has diffusers: `LIMN_PYTHON`, else the workspace's own.
#[must_use]
pub fn python() -> PathBuf {
    std::env::var_os("LIMN_PYTHON").map_or(workspace().join(".venv/bin/python"), PathBuf::from)
}
