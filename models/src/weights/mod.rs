//! The numbers of a network: one component of a checkpoint, opened as named tensors.
//!
//! A component is a folder in diffusers' layout: `config.json` beside one or several `*.safetensors`. A network asks
//! for each of its tensors by key and shape through a [`Scope`]; [`Weights::finish`] then says whether the file held
//! anything that nobody asked for. With [`Weights::random`] the same road is walked without a file.
//!
//! ```text
//!   Weights::open ─► root() ─► Scope ─► sub("down_blocks").sub(0) ─► tensor("weight", &[320, 4, 3, 3])
//!         │                                                             remembered
//!         └──────────────► finish(ignored) ─► Settling ─► step(budget) until true: every tensor is on its device
//! ```
//!
//! Opening and building happen on a loader thread in host memory; [`Settling::step`] belongs to the device thread.

mod config;
mod error;
mod file;
mod random;
mod rename;
mod scope;
mod settling;

use std::cell::RefCell;
use std::collections::BTreeMap;

use tch::{Device, Kind, Tensor};

pub use config::{parse_config, read_config};
pub use error::WeightsError;
pub use scope::Scope;
pub use settling::Settling;

use crate::folder::Folder;
use file::Entry;
use random::Random;

/// Where the tensors come from.
enum Source {
    /// The files' tensors by today's key; what has been asked for is taken out.
    Files(RefCell<BTreeMap<String, Entry>>),
    /// Drawn on demand.
    Random(RefCell<Random>),
}

/// The tensors of one component, with the device and the kind that the network shall have.
///
/// A tensor whose kind and layout are already right is the mapped pages of its file; every other one is a converted
/// copy. A file's mapping ends with the last tensor that lies in it, so weights are in memory once.
pub struct Weights {
    source: Source,
    /// Every tensor handed out: shallow clones, for [`Settling`].
    given: RefCell<Vec<Tensor>>,
    device: Device,
    kind: Kind,
    /// For messages: the folder, or what stands for one.
    origin: String,
}

impl Weights {
    /// Opens the component in `folder`: `diffusion_pytorch_model` or `model`, one file or sharded by an index.
    ///
    /// With a `variant` (such as `fp16`) the files of that name are taken where they exist and the plain ones
    /// elsewhere, as diffusers does for a checkpoint of which only some parts come as the variant.
    /// `device` is where [`Settling`] will bring the tensors, `kind` one of `Float`, `Half` and `BFloat16`.
    ///
    /// # Errors
    ///
    /// [`WeightsError::NotFound`], [`WeightsError::Unreadable`], and [`WeightsError::Malformed`] for a file that is
    /// cut short or is no safetensors file.
    pub fn open(
        folder: impl Into<Folder>,
        variant: Option<&str>,
        device: Device,
        kind: Kind,
    ) -> Result<Self, WeightsError> {
        let folder = folder.into();
        let entries = file::open_component(&folder, variant)?;
        Ok(Self::new(
            Source::Files(RefCell::new(entries)),
            folder.to_string(),
            device,
            kind,
        ))
    }

    /// Tensors of any key and shape, drawn when asked for: a network of full size without a file.
    ///
    /// Matrices and kernels are uniform with variance 1 / fan-in, vectors named `weight` are one and all other
    /// vectors zero. The generator is our own, so torch's global one, from which noise is drawn, stays as it is.
    #[must_use]
    pub fn random(seed: u64, device: Device, kind: Kind) -> Self {
        Self::new(
            Source::Random(RefCell::new(Random::new(seed))),
            "random weights".to_owned(),
            device,
            kind,
        )
    }

    fn new(source: Source, origin: String, device: Device, kind: Kind) -> Self {
        Self {
            source,
            given: RefCell::default(),
            device,
            kind,
            origin,
        }
    }

    /// The scope of all keys.
    #[must_use]
    pub fn root(&self) -> Scope<'_> {
        Scope::root(self)
    }

    /// The kind of every tensor handed out.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The device on which the tensors end up.
    #[must_use]
    pub fn device(&self) -> Device {
        self.device
    }

    /// Closes the books: every tensor of the files was asked for.
    ///
    /// A key is forgiven when it is one of `ignored` or ends in `.` and one of them. That list is the only exception.
    ///
    /// # Errors
    ///
    /// [`WeightsError::Leftover`] with the number of tensors that nobody asked for, and the first few keys.
    pub fn finish(self, ignored: &[&str]) -> Result<Settling, WeightsError> {
        if let Source::Files(entries) = &self.source {
            let forgiven = |key: &str| {
                ignored.iter().any(|pattern| {
                    key.strip_suffix(pattern)
                        .is_some_and(|head| head.is_empty() || head.ends_with('.'))
                })
            };
            let left: Vec<String> = entries
                .borrow()
                .values()
                .filter(|entry| !forgiven(entry.file_key()))
                .map(|entry| entry.file_key().to_owned())
                .collect();
            if !left.is_empty() {
                return Err(WeightsError::Leftover {
                    count: left.len(),
                    first: left.into_iter().take(5).collect(),
                    origin: self.origin,
                });
            }
        }
        Ok(Settling::new(self.given.into_inner(), self.device))
    }

    fn take(&self, key: &str, shape: &[i64], kind: Kind) -> Result<Tensor, WeightsError> {
        let raw = match &self.source {
            Source::Files(entries) => {
                let entry =
                    entries
                        .borrow_mut()
                        .remove(key)
                        .ok_or_else(|| WeightsError::Missing {
                            key: key.to_owned(),
                            origin: self.origin.clone(),
                        })?;
                if entry.shape() != shape {
                    return Err(WeightsError::Shape {
                        key: key.to_owned(),
                        expected: shape.to_vec(),
                        found: entry.shape().to_vec(),
                        origin: self.origin.clone(),
                    });
                }
                entry.tensor()?
            }
            Source::Random(random) => random.borrow_mut().tensor(key, shape, kind)?,
        };
        let tensor = channels_last(&raw.f_to_kind(kind)?)?;
        self.given.borrow_mut().push(tensor.shallow_clone());
        Ok(tensor)
    }

    fn has(&self, key: &str) -> bool {
        match &self.source {
            Source::Files(entries) => entries.borrow().contains_key(key),
            Source::Random(_) => true,
        }
    }
}

/// Gives kernels `[O, I, H, W]` strides in the order `O, H, W, I`, which convolutions over channels-last pictures
/// read without reordering; other tensors pass untouched, and so do kernels of 1 x 1, which lie right already.
fn channels_last(tensor: &Tensor) -> Result<Tensor, tch::TchError> {
    match tensor.size()[..] {
        [_, _, 1, 1] => Ok(tensor.shallow_clone()),
        [_, _, _, _] => tensor
            .f_permute([0, 2, 3, 1])?
            .f_contiguous()?
            .f_permute([0, 3, 1, 2]),
        _ => Ok(tensor.shallow_clone()),
    }
}
