//! A checkpoint by name: a folder of this machine, or a repository of the hub through its cache.
//!
//! ```text
//! name ─► a folder? ──────────────────────────────► Checkpoint
//!     └─► whole in the cache? ────────────────────► Checkpoint
//!     └─► HF_HUB_OFFLINE? refuse. Else fetch the files that are needed, and only those ─► Checkpoint
//! ```
//!
//! What is cached is not asked about again, so a start with everything there needs no network. The cache is laid out as
//! the hub's own Python library lays it out, and shared with it.

mod error;
mod files;
mod reach;

use std::env;
use std::path::{Path, PathBuf};

use hf_hub::api::sync::{Api, ApiBuilder};
use hf_hub::{Cache, Repo, RepoType};

pub use error::HubError;

use files::{listed, wanted};

/// Where the hub answers, unless `HF_ENDPOINT` says otherwise.
const ENDPOINT: &str = "https://huggingface.co";

/// What is needed of a checkpoint.
#[derive(Debug, Clone, Copy)]
pub struct Wants<'a> {
    /// Its parts: `unet`, `vae`, `text_encoder`, `tokenizer`, `scheduler`; an empty name for a checkpoint that is one
    /// network by itself, a ControlNet or TAESD.
    pub parts: &'a [&'a str],
    /// The weights' variant, such as `fp16`, where a part has it; the plain file elsewhere.
    pub variant: Option<&'a str>,
}

/// An opened checkpoint: a folder in diffusers' layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    root: PathBuf,
}

impl Checkpoint {
    /// The checkpoint's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of a part; that of the checkpoint itself for an empty name.
    pub fn part(&self, part: &str) -> PathBuf {
        if part.is_empty() {
            self.root.clone()
        } else {
            self.root.join(part)
        }
    }
}

/// The hub as this process may use it.
#[derive(Debug, Clone)]
pub struct Hub {
    cache: PathBuf,
    endpoint: String,
    token: Option<String>,
    offline: bool,
}

impl Hub {
    /// By the environment, as the hub's Python library reads it: `HF_HUB_CACHE`, else `HF_HOME`, for the cache; `HF_TOKEN`,
    /// else the file that its login leaves; `HF_ENDPOINT`; `HF_HUB_OFFLINE`.
    pub fn from_env() -> Self {
        let cache =
            set("HF_HUB_CACHE").map_or_else(Cache::from_env, |path| Cache::new(path.into()));
        Self {
            token: set("HF_TOKEN").or_else(|| Cache::from_env().token()),
            cache: cache.path().clone(),
            endpoint: set("HF_ENDPOINT").unwrap_or_else(|| ENDPOINT.to_owned()),
            offline: set("HF_HUB_OFFLINE").is_some_and(|value| {
                matches!(
                    value.to_ascii_lowercase().as_str(),
                    "1" | "true" | "yes" | "on"
                )
            }),
        }
    }

    /// A hub of one's own: its cache, its address, a token, and whether only the cache may be read.
    pub fn new(cache: PathBuf, endpoint: String, token: Option<String>, offline: bool) -> Self {
        Self {
            cache,
            endpoint,
            token,
            offline,
        }
    }

    /// Opens `name`: a folder, else `owner/name` or `owner/name@revision` on the hub. Fetches what the cache lacks, and
    /// blocks for as long as that takes; call it only where somebody asked for this name.
    ///
    /// # Errors
    /// [`HubError`], each with its [`hint`](HubError::hint).
    pub fn open(&self, name: &str, wants: &Wants<'_>) -> Result<Checkpoint, HubError> {
        if Path::new(name).is_dir() {
            let root = PathBuf::from(name);
            wanted(&listed(&root), wants).map_err(|lack| lack.of(name))?;
            return Ok(Checkpoint { root });
        }
        let (id, revision) = repository(name)?;
        if let Some(root) = self.cached(id, revision, wants) {
            return Ok(Checkpoint { root });
        }
        if self.offline {
            return Err(HubError::Offline {
                name: name.to_owned(),
                cache: self.cache.clone(),
            });
        }
        reach::within_five_seconds(&self.endpoint)?;
        self.fetch(name, id, revision, wants)
    }

    /// Whether [`open`](Self::open) would succeed without the network.
    pub fn is_cached(&self, name: &str, wants: &Wants<'_>) -> bool {
        if Path::new(name).is_dir() {
            return wanted(&listed(Path::new(name)), wants).is_ok();
        }
        repository(name).is_ok_and(|(id, revision)| self.cached(id, revision, wants).is_some())
    }

    /// The snapshot in the cache, if it holds all that is wanted.
    fn cached(&self, id: &str, revision: &str, wants: &Wants<'_>) -> Option<PathBuf> {
        let repo = self
            .cache
            .join(format!("models--{}", id.replace('/', "--")));
        // A revision is a branch or a tag, which a file names the commit of, or the commit itself.
        let commit = std::fs::read_to_string(repo.join("refs").join(revision));
        let commit = commit.map_or_else(|_| revision.to_owned(), |commit| commit.trim().to_owned());
        let root = repo.join("snapshots").join(commit);
        let needed = wanted(&listed(&root), wants).ok()?;
        needed
            .iter()
            .all(|file| files::shards_are_whole(&root, file))
            .then_some(root)
    }

    fn fetch(
        &self,
        name: &str,
        id: &str,
        revision: &str,
        wants: &Wants<'_>,
    ) -> Result<Checkpoint, HubError> {
        let failed = |error| HubError::from_api(name, error);
        let cache = Cache::new(self.cache.clone());
        let api: Api = ApiBuilder::from_cache(cache.clone())
            .with_endpoint(self.endpoint.clone())
            .with_token(self.token.clone())
            .with_retries(3)
            .with_progress(false)
            .build()
            .map_err(failed)?;
        let branch = Repo::with_revision(id.to_owned(), RepoType::Model, revision.to_owned());
        let info = api.repo(branch.clone()).info().map_err(failed)?;
        let there: Vec<String> = info
            .siblings
            .into_iter()
            .map(|file| file.rfilename)
            .collect();
        let needed = wanted(&there, wants).map_err(|lack| lack.of(name))?;
        // By its commit, so that a push in the middle does not leave a checkpoint of two halves.
        let commit = Repo::with_revision(id.to_owned(), RepoType::Model, info.sha.clone());
        let files = api.repo(commit.clone());
        for (index, file) in needed.iter().enumerate() {
            tracing::info!("{name}: {file} ({} of {})", index + 1, needed.len());
            files.get(file).map_err(failed)?;
        }
        cache
            .repo(branch)
            .create_ref(&info.sha)
            .map_err(|source| HubError::Disk {
                source,
                path: self.cache.clone(),
            })?;
        Ok(Checkpoint {
            root: cache.repo(commit).pointer_path(&info.sha),
        })
    }
}

/// `owner/name@revision` in its halves; the revision is `main` where none is given.
fn repository(name: &str) -> Result<(&str, &str), HubError> {
    let (id, revision) = name.split_once('@').unwrap_or((name, "main"));
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    let revision_is_safe = revision.split('/').all(plain);
    match id.split_once('/') {
        Some((owner, repo)) if plain(owner) && plain(repo) && revision_is_safe => {
            Ok((id, revision))
        }
        _ => Err(HubError::Name(name.to_owned())),
    }
}

fn set(variable: &str) -> Option<String> {
    env::var(variable).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
