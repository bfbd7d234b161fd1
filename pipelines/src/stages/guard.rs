//! The safety checker at its post: behind the decoder, before a picture leaves the device.

use limn_models::safety::SafetyChecker;
use limn_pipeline::Report;
use tch::{Kind, TchError, Tensor};

use crate::stages::veil::veil;

/// A checker, and how often it looks at each session.
pub struct Guard {
    checker: SafetyChecker,
    every: u32,
}

/// What is remembered of one session between its pictures.
#[derive(Clone, Copy, Debug, Default)]
pub struct Watch {
    /// Pictures for which the last verdict still holds; at 0 the next one is checked.
    holds_for: u32,
    flagged: bool,
}

impl Watch {
    /// Whether the session's next picture is checked.
    pub(super) fn is_due(self) -> bool {
        self.holds_for == 0
    }
}

/// Pictures that may be shown.
pub(super) struct Guarded {
    /// `[B, 3, H, W]`, as they came but for the flagged ones, which are blurred.
    pub(super) pictures: Tensor,
    /// Which those are: `[B]`, bool, on the device. `None` where nobody looked and no earlier verdict says so.
    pub(super) flagged: Option<Tensor>,
}

impl Guard {
    /// A guard that looks at every `every`-th picture of each session; 0 is taken for 1.
    pub fn new(checker: SafetyChecker, every: u32) -> Self {
        Self {
            checker,
            every: every.max(1),
        }
    }

    /// Looks at painted pictures `[B, 3, H, W]`, RGB in about -1..1, of the sessions of `watches`: in one call at those that
    /// are due; the others go by their last verdict. Nothing is read back from the device.
    ///
    /// # Errors
    /// When torch refuses, for want of memory.
    pub(super) fn look(&self, pictures: Tensor, watches: &[Watch]) -> Result<Guarded, TchError> {
        let due: Vec<i64> = (0..)
            .zip(watches)
            .filter_map(|(at, watch)| watch.is_due().then_some(at))
            .collect();
        if due.is_empty() && !watches.iter().any(|watch| watch.flagged) {
            return Ok(Guarded {
                pictures,
                flagged: None,
            });
        }
        let flagged = if due.len() == watches.len() {
            self.verdicts(&pictures)?
        } else {
            self.verdicts_and_memory(&pictures, watches, &due)?
        };
        let pictures = veil(&pictures)?.f_where_self(&flagged.f_view([-1, 1, 1, 1])?, &pictures)?;
        Ok(Guarded {
            pictures,
            flagged: Some(flagged),
        })
    }

    fn verdicts(&self, pictures: &Tensor) -> Result<Tensor, TchError> {
        let pictures = pictures
            .f_to_kind(Kind::Float)?
            .f_mul_scalar(0.5)?
            .f_add_scalar_(0.5)?
            .f_clamp_(0.0, 1.0)?;
        self.checker.verdicts(&pictures)
    }

    fn verdicts_and_memory(
        &self,
        pictures: &Tensor,
        watches: &[Watch],
        due: &[i64],
    ) -> Result<Tensor, TchError> {
        let memory: Vec<bool> = watches.iter().map(|watch| watch.flagged).collect();
        let memory = Tensor::f_from_slice(&memory)?.f_to_device(pictures.device())?;
        if due.is_empty() {
            return Ok(memory);
        }
        let due = Tensor::f_from_slice(due)?.f_to_device(pictures.device())?;
        memory.f_index_copy(0, &due, &self.verdicts(&pictures.f_index_select(0, &due)?)?)
    }

    /// A picture with this verdict leaves; what its session should be told.
    pub(super) fn note(&self, watch: &mut Watch, flagged: bool) -> Option<Report> {
        watch.holds_for = if watch.is_due() {
            self.every - 1
        } else {
            watch.holds_for - 1
        };
        let before = std::mem::replace(&mut watch.flagged, flagged);
        match (before, flagged) {
            (false, true) => Some(Report::Flagged),
            (true, false) => Some(Report::Cleared),
            _ => None,
        }
    }
}
