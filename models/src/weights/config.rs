//! A component's `config.json`.

use std::path::Path;

use serde::de::DeserializeOwned;

use super::WeightsError;
use crate::folder::Folder;

/// Reads `config.json` in a component's folder.
///
/// # Errors
///
/// [`WeightsError::Unreadable`] when the file cannot be read, [`WeightsError::Malformed`] when it is not JSON or a
/// key has another type than diffusers gives it.
pub fn read_config<T: DeserializeOwned>(folder: impl Into<Folder>) -> Result<T, WeightsError> {
    let folder = folder.into();
    let path = folder.path("config.json");
    let text = folder
        .read_text("config.json")
        .map_err(|source| WeightsError::Unreadable {
            source,
            path: path.clone(),
        })?;
    parse(&text, &path)
}

/// The same from text, for the configurations that are compiled in and have no folder; `name` stands in messages.
///
/// # Errors
///
/// [`WeightsError::Malformed`].
pub fn parse_config<T: DeserializeOwned>(text: &str, name: &str) -> Result<T, WeightsError> {
    parse(text, Path::new(name))
}

fn parse<T: DeserializeOwned>(text: &str, path: &Path) -> Result<T, WeightsError> {
    serde_json::from_str(text).map_err(|error| WeightsError::Malformed {
        reason: format!("not a network's configuration: {error}"),
        path: path.to_owned(),
    })
}
