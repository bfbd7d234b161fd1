//! What can be wrong with a checkpoint.

use std::path::PathBuf;

use tch::TchError;

/// Why a component could not be opened or a network not be built from it. One variant per reaction.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The folder holds no weights that we read. Reaction: name another folder or variant, or fetch the files.
    #[error("no safetensors weights named {}, but {found}, in {}", names(.looked_for), .folder.display())]
    NotFound {
        /// The names that would have been taken.
        looked_for: Vec<String>,
        /// What lies there instead, in words.
        found: String,
        /// The component's folder.
        folder: PathBuf,
    },
    /// The operating system refuses the file. Reaction: mend the disk or the permissions.
    #[error("cannot read: {source}: {}", .path.display())]
    Unreadable {
        /// What the system said.
        source: std::io::Error,
        /// The file.
        path: PathBuf,
    },
    /// The file is not what its name says, or is cut short. Reaction: fetch it again.
    #[error("{reason}: {}", .path.display())]
    Malformed {
        /// What is wrong, with the numbers.
        reason: String,
        /// The file.
        path: PathBuf,
    },
    /// The configuration asks for something that we have not built. Reaction: another checkpoint.
    #[error("config key `{key}` is {value}, {reason}")]
    Config {
        /// The key in `config.json`.
        key: String,
        /// Its value, as JSON.
        value: String,
        /// What would be understood.
        reason: String,
    },
    /// The network needs a tensor that the checkpoint lacks. Reaction: the wrong checkpoint, or a torn one.
    #[error("no tensor `{key}` in {origin}")]
    Missing {
        /// Its key, in today's naming.
        key: String,
        /// The component's folder.
        origin: String,
    },
    /// A tensor has another shape than the configuration promises. Reaction: as for a missing one.
    #[error("tensor `{key}` has shape {found:?} instead of {expected:?} in {origin}")]
    Shape {
        /// Its key, in today's naming.
        key: String,
        /// What the network needs.
        expected: Vec<i64>,
        /// What the file has.
        found: Vec<i64>,
        /// The component's folder.
        origin: String,
    },
    /// A tensor holds no floating point numbers that we read. Reaction: another checkpoint.
    #[error("tensor `{key}` is of type {dtype} instead of F32, F16 or BF16: {}", .path.display())]
    Dtype {
        /// Its key in the file.
        key: String,
        /// The file's word for the type.
        dtype: String,
        /// The file.
        path: PathBuf,
    },
    /// The files hold tensors that no part of the network reads. Reaction: the configuration does not belong to them.
    #[error("{count} tensors that the network does not know, first {}, in {origin}", names(.first))]
    Leftover {
        /// How many.
        count: usize,
        /// The first few keys, as the file spells them.
        first: Vec<String>,
        /// The component's folder.
        origin: String,
    },
    /// Torch refuses, most often for want of memory. Reaction: a smaller kind or another device.
    #[error("torch: {0}")]
    Torch(#[from] TchError),
}

impl WeightsError {
    /// A configuration key whose `value` is not built; `reason` says what is.
    pub fn config(key: &str, value: impl serde::Serialize, reason: impl Into<String>) -> Self {
        Self::Config {
            key: key.to_owned(),
            value: serde_json::to_string(&value).unwrap_or_else(|error| error.to_string()),
            reason: reason.into(),
        }
    }
}

fn names(list: &[String]) -> String {
    let quoted: Vec<String> = list.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
