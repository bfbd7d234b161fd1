//! A configuration in TOML is refused in words, or is a configuration.

use std::cell::OnceCell;

use limn_server::Config;
use tempfile::NamedTempFile;

thread_local! {
    static FILE: OnceCell<NamedTempFile> = const { OnceCell::new() };
}

/// # Panics
/// If the system has no room for a file.
pub fn read(input: &[u8]) {
    FILE.with(|file| {
        let file = file.get_or_init(|| NamedTempFile::new().expect("room for a file"));
        std::fs::write(file.path(), input).expect("room for a file");
        let config = Config::read(["server".as_ref(), "--config".as_ref(), file.path()]);
        if let Err(error) = config {
            assert!(!error.to_string().is_empty());
        }
    });
}
