//! The session's row and its ordered parameter queue.
//!
//! Patches are checked and merged in order of arrival, last write per field wins; the whole queue is drained before each
//! frame. Since each patch is checked against what the ones before it made, the queue is one merged set: it cannot grow
//! while no frame comes.

use limn_pipeline::{ParamError, ParamSet, Unknown};
use serde_json::{Map, Value};

use crate::listing::Choice;

/// What a session's next frame is painted with.
pub struct Steering {
    choice: Choice,
    /// All patches so far, merged.
    ahead: ParamSet,
    /// Counts the choices, so that whoever chooses a row again asks for another try.
    choices: u64,
}

impl Steering {
    /// The row's defaults.
    pub fn new(choice: Choice) -> Self {
        let ahead = choice.door.defaults().clone();
        Self {
            choice,
            ahead,
            choices: 0,
        }
    }

    /// Adds a patch; answers the whole set, and whether it differs from before.
    pub fn push(
        &mut self,
        patch: &Map<String, Value>,
        unknown: Unknown,
    ) -> Result<(ParamSet, bool), ParamError> {
        let merged = self.choice.door.apply(&self.ahead, patch, unknown)?;
        let changed = merged != self.ahead;
        self.ahead = merged.clone();
        Ok((merged, changed))
    }

    /// Takes another row; parameters that its door lets in stay.
    pub fn switch(&mut self, choice: Choice) {
        self.ahead = choice.door.adopt(&self.ahead);
        self.choice = choice;
        self.choices += 1;
    }

    /// How often a row was chosen.
    pub fn choices(&self) -> u64 {
        self.choices
    }

    /// The row.
    pub fn choice(&self) -> &Choice {
        &self.choice
    }

    /// The parameters of the next frame.
    pub fn ahead(&self) -> &ParamSet {
        &self.ahead
    }
}
