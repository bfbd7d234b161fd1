//! Why a checkpoint cannot be opened.

use std::path::PathBuf;

use hf_hub::api::sync::ApiError;

/// One variant per reaction; the reaction is the [`hint`](Self::hint).
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// Neither a folder nor the name of a repository.
    #[error("checkpoint `{0}` is neither a folder nor `owner/name` on the hub")]
    Name(String),
    /// The hub knows no such repository or revision.
    #[error("checkpoint `{0}` is not on the hub")]
    NotFound(String),
    /// The hub shows the repository to others only; to the unknown it says the same of one that does not exist.
    #[error("checkpoint `{name}` is not open to us (status {status})")]
    Unauthorised {
        /// The checkpoint.
        name: String,
        /// HTTP's status, 401 or 403.
        status: u16,
    },
    /// The network was forbidden and the cache is not enough.
    #[error("checkpoint `{name}` is not whole in the cache, and HF_HUB_OFFLINE is set: {}", .cache.display())]
    Offline {
        /// The checkpoint.
        name: String,
        /// The cache's folder.
        cache: PathBuf,
    },
    /// The hub does not answer.
    #[error("hub does not answer: {reason}: {endpoint}")]
    Unreachable {
        /// What went wrong.
        reason: String,
        /// The hub's address, or the proxy's.
        endpoint: String,
    },
    /// A download broke off, or the hub answered what it should not.
    #[error("checkpoint `{name}` could not be fetched: {reason}")]
    Broken {
        /// The checkpoint.
        name: String,
        /// What went wrong.
        reason: String,
    },
    /// The checkpoint has weights, but not as safetensors, which is all that we read.
    #[error("checkpoint `{name}` has no safetensors for `{part}`, only {found}")]
    NoSafetensors {
        /// The checkpoint.
        name: String,
        /// The part.
        part: String,
        /// What it has instead.
        found: String,
    },
    /// The checkpoint lacks a part.
    #[error("checkpoint `{name}` has no part `{part}`")]
    NoPart {
        /// The checkpoint.
        name: String,
        /// The part; empty for a checkpoint that should be one network by itself.
        part: String,
    },
    /// The cache cannot be written.
    #[error("cache cannot be written: {source}: {}", .path.display())]
    Disk {
        /// What the system said.
        source: std::io::Error,
        /// The cache's folder.
        path: PathBuf,
    },
}

impl HubError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Name(_) => "give the path of an existing folder in diffusers' layout, or owner/name, or owner/name@revision".to_owned(),
            Self::NotFound(name) => format!("look the name up at https://huggingface.co/models; was it renamed? `{name}`"),
            Self::Unauthorised { name, .. } => {
                let id = name.split('@').next().unwrap_or(name);
                format!(
                    "check the spelling; if the repository asks for consent, give it at https://huggingface.co/{id} and set HF_TOKEN"
                )
            }
            Self::Offline { name, .. } => format!("unset HF_HUB_OFFLINE, or fetch `{name}` on a machine that may, and copy its cache"),
            Self::Unreachable { .. } => "check the network and HTTPS_PROXY; with HF_HUB_OFFLINE=1 only the cache is read".to_owned(),
            Self::Broken { .. } => "start again; what has arrived is kept".to_owned(),
            Self::NoSafetensors { .. } => "convert it once with diffusers: from_pretrained, then save_pretrained, and name the folder".to_owned(),
            Self::NoPart { .. } => "this checkpoint is of another kind; name one in diffusers' layout".to_owned(),
            Self::Disk { .. } => "free the disk, or set HF_HOME to a folder that can be written".to_owned(),
        }
    }

    pub(super) fn from_api(name: &str, error: ApiError) -> Self {
        let name = name.to_owned();
        match error {
            ApiError::TooManyRetries(inner) => Self::from_api(&name, *inner),
            ApiError::RequestError(request) => match *request {
                ureq::Error::StatusCode(404) => Self::NotFound(name),
                ureq::Error::StatusCode(status @ (401 | 403)) => {
                    Self::Unauthorised { name, status }
                }
                other => Self::Broken {
                    name,
                    reason: other.to_string(),
                },
            },
            other => Self::Broken {
                name,
                reason: other.to_string(),
            },
        }
    }
}
