//! The small checkpoint that ships with Limn, trained by the scripts in `models/embedded/train/`.
//!
//! With the feature `embedded` it is part of the program. Without it the repository's folder is read, which is found
//! from the working directory or from the program upwards.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::folder::Folder;

/// What `--model` calls it.
pub const NAME: &str = "embedded";

/// Its folder in the repository.
const PLACE: &str = "models/embedded";

#[cfg(feature = "embedded")]
#[derive(rust_embed::RustEmbed)]
#[folder = "embedded"]
#[include = "model_index.json"]
#[include = "tokenizer/*"]
#[include = "text_encoder/*"]
#[include = "unet/*"]
#[include = "vae/*"]
#[include = "controlnet/*"]
#[include = "scheduler/*"]
struct Files;

/// One of its files by its path with `/`; nothing in a program without it.
pub(crate) fn file(path: &str) -> Option<Cow<'static, [u8]>> {
    #[cfg(feature = "embedded")]
    return Files::get(path).map(|file| file.data);
    #[cfg(not(feature = "embedded"))]
    {
        let _ = path;
        None
    }
}

/// Its folder: inside the program, else in the repository; `None` where there is neither.
pub fn folder() -> Option<Folder> {
    if cfg!(feature = "embedded") {
        return Some(Folder::Inside(String::new()));
    }
    let whole = |root: &Path| {
        let folder = root.join(PLACE);
        folder
            .join("model_index.json")
            .is_file()
            .then_some(Folder::Disk(folder))
    };
    let starts: [Option<PathBuf>; 2] = [std::env::current_dir().ok(), std::env::current_exe().ok()];
    starts
        .iter()
        .flatten()
        .flat_map(|start| start.ancestors())
        .find_map(whole)
}
