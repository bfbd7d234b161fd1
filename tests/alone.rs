//! A test that needs a process to itself: it counts what belongs to the process, or needs an environment of its own.

use std::process::{Command, Stdio};

const MARK: &str = "LIMN_TEST_ALONE";

/// Runs the rest of the test `name` (as `--list` writes it) in a process of its own with the variables `set`, and
/// answers whether this is that process: `if !alone("a::b", &[]) { return }`.
///
/// # Panics
/// If the test fails there.
pub fn alone(name: &str, set: &[(&str, &str)]) -> bool {
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    let mut command = Command::new(std::env::current_exe().expect("a test binary"));
    for (variable, _) in std::env::vars_os() {
        let ours = variable.to_string_lossy().starts_with("LIMN_");
        if ours && variable != "LIMN_FIXTURES" {
            command.env_remove(variable);
        }
    }
    // No terminal on any side, so that text is wrapped as it would be anywhere.
    let output = command
        .args(["--exact", name, "--nocapture"])
        .env(MARK, "1")
        .env_remove("COLUMNS")
        .envs(set.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("the test binary runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "alone, it fails:\n{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    false
}
