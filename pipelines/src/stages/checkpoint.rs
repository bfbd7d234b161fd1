//! Which checkpoint is painted with: the operator's, else the row's if it is on this machine, else the embedded one.

use limn_models::embedded;
use limn_models::folder::Folder;
use limn_models::hub::{Hub, Wants};
use limn_pipeline::{Checkpoint, LoadContext, PipelineError, Row};

/// What is read of a main checkpoint.
const MAIN: &[&str] = &["tokenizer", "text_encoder", "unet", "vae", "scheduler"];
/// A side network is a checkpoint by itself.
const SIDE: &[&str] = &[""];

/// A checkpoint on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The folder, in the layout of diffusers.
    pub folder: Folder,
    /// `fp16` for `diffusion_pytorch_model.fp16.safetensors`, and so on.
    pub variant: Option<&'static str>,
    /// Its name for people.
    pub name: String,
}

impl Found {
    fn at(folder: impl Into<Folder>, name: String) -> Self {
        Self {
            folder: folder.into(),
            variant: None,
            name,
        }
    }
}

/// The row that paints when `row` is asked for: its embedded one if the operator says so, or names no checkpoint and
/// the row's own is not in the hub's cache.
pub fn at_hand(model: Option<&str>, row: &'static Row) -> &'static Row {
    let Some(small) = row.embedded else {
        return row;
    };
    match model {
        Some(embedded::NAME) => small,
        Some(_) => row,
        None if row
            .checkpoint
            .is_none_or(|known| cached(known, MAIN).is_some()) =>
        {
            row
        }
        None => small,
    }
}

/// The main checkpoint of `row`. Only what `--model` names is ever downloaded.
///
/// # Errors
/// [`PipelineError::Load`] when the operator's checkpoint cannot be had, or the row's is not on this machine.
pub fn main(context: &LoadContext<'_>, row: &Row) -> Result<Found, PipelineError> {
    let known = row.checkpoint.map(|checkpoint| checkpoint.name);
    if known == Some(embedded::NAME) {
        return match embedded::folder() {
            Some(folder) => {
                let larger = row.stands_in_for.map_or(String::new(), |large| {
                    format!("; `--model {}` paints with the large one", large.name)
                });
                Ok(Found::at(
                    &folder,
                    format!("the small embedded checkpoint{larger}"),
                ))
            }
            None => Err(PipelineError::Load {
                what: row.id.to_owned(),
                reason: "this program was built without the feature `embedded`, and no folder above it has `models/embedded`".to_owned(),
                hint: Some("`make build` builds it in; `--model` names another checkpoint".to_owned()),
            }),
        };
    }
    if let Some(name) = context.model {
        return named(name, MAIN);
    }
    if let Some(found) = row.checkpoint.and_then(|known| cached(known, MAIN)) {
        return Ok(found);
    }
    let wanted = known.unwrap_or(row.id);
    Err(PipelineError::Load {
        what: row.id.to_owned(),
        reason: format!("`{wanted}` is not on this machine"),
        hint: Some(format!("`--model {wanted}` downloads it")),
    })
}

/// A side network: the operator's, else the one that lies in the main checkpoint's own folder, else the row's if it is
/// on this machine.
///
/// # Errors
/// [`PipelineError::Load`] when the operator's cannot be had.
pub fn side(
    main: &Found,
    folder: &str,
    asked: Option<&str>,
    known: Option<Checkpoint>,
) -> Result<Option<Found>, PipelineError> {
    if let Some(name) = asked {
        return named(name, SIDE).map(Some);
    }
    let own = main.folder.join(folder);
    if own.has("config.json") {
        return Ok(Some(Found {
            name: format!("its own {folder}"),
            folder: own,
            ..main.clone()
        }));
    }
    Ok(known.and_then(|known| cached(known, SIDE)))
}

/// The safety checker of this name.
///
/// # Errors
/// [`PipelineError::Load`] when it cannot be had.
pub fn safety_checker(name: &str) -> Result<Found, PipelineError> {
    named(name, SIDE)
}

/// A folder, or a name on the hub; the second may be downloaded, for the operator asked for it.
fn named(name: &str, parts: &[&str]) -> Result<Found, PipelineError> {
    match Hub::from_env().open(
        name,
        &Wants {
            parts,
            variant: None,
        },
    ) {
        Ok(opened) => Ok(Found::at(opened.root().to_owned(), name.to_owned())),
        Err(error) => Err(PipelineError::Load {
            what: name.to_owned(),
            reason: error.to_string(),
            hint: Some(error.hint()),
        }),
    }
}

/// A checkpoint that is whole in the hub's cache; the network is not asked.
fn cached(known: Checkpoint, parts: &[&str]) -> Option<Found> {
    let wants = Wants {
        parts,
        variant: known.variant,
    };
    let hub = Hub::from_env();
    if !hub.is_cached(known.name, &wants) {
        return None;
    }
    let opened = hub.open(known.name, &wants).ok()?;
    Some(Found {
        variant: known.variant,
        ..Found::at(opened.root().to_owned(), known.name.to_owned())
    })
}
