//! What a user is told when something is refused: a code for programs, a sentence for people, a hint what to do.

use limn_pipeline::{ParamError, PipelineError};
use serde_json::{Value, json};

use crate::ingest::IngestError;
use crate::listing::UnknownPipeline;

/// One refusal; the session, and all others, go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Stable, for programs: `bad_param`, `bad_picture`, ...
    pub code: &'static str,
    /// What was refused and why.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Refusal {
    /// A refusal without a hint.
    pub fn new(code: &'static str, message: impl ToString) -> Self {
        Self {
            code,
            message: message.to_string(),
            hint: None,
        }
    }

    /// The same with a hint.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// `{"code", "message", "hint"}`.
    pub fn json(&self) -> Value {
        json!({"code": self.code, "message": self.message, "hint": self.hint})
    }
}

impl From<IngestError> for Refusal {
    fn from(error: IngestError) -> Self {
        match error {
            IngestError::TooManyBytes { .. } | IngestError::TooManyPixels { .. } => {
                Self::new("picture_too_large", error).hint("send a smaller picture")
            }
            IngestError::UnknownFormat | IngestError::Broken(_) => Self::new("bad_picture", error),
        }
    }
}

impl From<ParamError> for Refusal {
    fn from(error: ParamError) -> Self {
        Self::new("bad_param", error)
    }
}

impl From<UnknownPipeline> for Refusal {
    fn from(error: UnknownPipeline) -> Self {
        Self::new("unknown_pipeline", error)
    }
}

impl From<&PipelineError> for Refusal {
    fn from(error: &PipelineError) -> Self {
        let code = match error {
            PipelineError::Cancelled => "cancelled",
            PipelineError::Params(_) => "bad_param",
            PipelineError::NoPicture { .. } => "no_picture",
            PipelineError::Load { .. } => "cannot_load",
            PipelineError::OutOfMemory { .. } => "out_of_memory",
            PipelineError::DeviceLost { .. } => "device_lost",
            PipelineError::Failed { .. } | PipelineError::Panicked { .. } => "pipeline_failed",
        };
        Self {
            code,
            message: error.to_string(),
            hint: error.hint().map(str::to_owned),
        }
    }
}

impl From<PipelineError> for Refusal {
    fn from(error: PipelineError) -> Self {
        Self::from(&error)
    }
}
