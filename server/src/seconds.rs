//! A number of seconds, as flags take it.

use std::time::Duration;

/// From text.
///
/// # Errors
/// If it is not a number from 0 on.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| format!("`{text}` is not a number of seconds"))?;
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| format!("`{text}` is not a number of seconds from 0 on"))
}
