//! Which checkpoint is painted with: the operator's, else the row's if it is on this machine, else the small random one.

use std::path::{Path, PathBuf};

use limn_models::hub;
use limn_pipeline::{Checkpoint, LoadContext, PipelineError, Row};

/// Where the set-up puts the small checkpoint with random weights (tests/parity/fixtures/small_checkpoint.py), below
/// the working directory or the repository that the program was built in.
pub const STAND_IN: &str = ".checkpoints/small-random";

/// A checkpoint on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The folder, in the layout of diffusers.
    pub folder: PathBuf,
    /// `fp16` for `diffusion_pytorch_model.fp16.safetensors`, and so on.
    pub variant: Option<&'static str>,
    /// Its name for people.
    pub name: String,
    /// Whether it is the small random one.
    pub stand_in: bool,
}

impl Found {
    fn at(folder: PathBuf, name: String) -> Self {
        Self {
            folder,
            variant: None,
            name,
            stand_in: false,
        }
    }
}

/// The main checkpoint of `row`. Only what `--model` names is ever downloaded.
///
/// # Errors
/// [`PipelineError::Load`] when the operator's checkpoint cannot be had, or nothing at all is on this machine.
pub fn main(context: &LoadContext<'_>, row: &Row) -> Result<Found, PipelineError> {
    if let Some(name) = context.model {
        return named(name);
    }
    if let Some(found) = row.checkpoint.and_then(cached) {
        return Ok(found);
    }
    let wanted = row.checkpoint.map_or(row.id, |checkpoint| checkpoint.name);
    let Some(folder) = stand_in() else {
        return Err(PipelineError::Load {
            what: row.id.to_owned(),
            reason: format!("`{wanted}` is not on this machine, and neither is `{STAND_IN}`"),
            hint: Some(format!(
                "`--model {wanted}` downloads it; `make run` makes the small one"
            )),
        });
    };
    tracing::warn!(
        "`{wanted}` is not on this machine: painting with small random weights, {}; `--model {wanted}` downloads it",
        folder.display()
    );
    let name = format!("small random weights ({STAND_IN}), for `{wanted}` is not on this machine");
    Ok(Found {
        stand_in: true,
        ..Found::at(folder, name)
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
        return named(name).map(Some);
    }
    let own = main.folder.join(folder);
    if own.join("config.json").is_file() {
        return Ok(Some(Found {
            name: format!("its own {folder}"),
            folder: own,
            ..main.clone()
        }));
    }
    Ok(known.and_then(cached))
}

/// A folder, or a name on the hub; the second may be downloaded, for the operator asked for it.
fn named(name: &str) -> Result<Found, PipelineError> {
    let folder = hub::locate(name).map_err(|error| PipelineError::Load {
        what: name.to_owned(),
        reason: error.to_string(),
        hint: None,
    })?;
    Ok(Found::at(folder, name.to_owned()))
}

/// The checkpoint in the hub's cache, asked for without the network.
fn cached(checkpoint: Checkpoint) -> Option<Found> {
    let folder = hub::cached(checkpoint.name)?;
    Some(Found {
        variant: checkpoint.variant,
        ..Found::at(folder, checkpoint.name.to_owned())
    })
}

fn stand_in() -> Option<PathBuf> {
    let whole = |root: &Path| {
        let folder = root.join(STAND_IN);
        folder.join("model_index.json").is_file().then_some(folder)
    };
    let program = std::env::current_exe().ok();
    let above = program
        .iter()
        .flat_map(|program| program.ancestors().skip(1));
    std::iter::once(Path::new(".")).chain(above).find_map(whole)
}
