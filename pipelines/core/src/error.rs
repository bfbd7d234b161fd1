//! What can go wrong in a pipeline: one variant per reaction of the server.

use serde::{Deserialize, Serialize};

use crate::params::ParamError;

/// Why a pipeline gave no picture.
#[derive(Clone, Debug, thiserror::Error, Serialize, Deserialize)]
pub enum PipelineError {
    /// The session ended or the frame was overtaken; not a fault, nothing to say.
    #[error("cancelled")]
    Cancelled,
    /// The user asked for something the pipeline cannot do; tell the user.
    #[error(transparent)]
    Params(#[from] ParamError),
    /// The pipeline reads pictures and the session sent none; tell the user.
    #[error("pipeline `{pipeline}` needs a picture and none came")]
    NoPicture {
        /// The pipeline's id.
        pipeline: String,
    },
    /// A checkpoint is missing or does not fit; tell the operator, and do not try again by itself.
    #[error("cannot load `{what}`: {reason}")]
    Load {
        /// The row, checkpoint or file.
        what: String,
        /// What was found instead of what was expected.
        reason: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// Memory ran out on the device; free what can be freed and try again.
    #[error("out of memory on `{device}`: {reason}")]
    OutOfMemory {
        /// The device's name.
        device: String,
        /// What libtorch said.
        reason: String,
    },
    /// The device went away under the step, or does nothing any more in this process, and every session with it; the frame is
    /// painted when it is back.
    #[error("the device is gone: {reason}")]
    DeviceLost {
        /// How that was noticed.
        reason: String,
        /// Whether this very frame was being painted.
        under_it: bool,
    },
    /// The step failed; the session is reopened.
    #[error("pipeline `{pipeline}` failed: {reason}")]
    Failed {
        /// The pipeline's id.
        pipeline: String,
        /// What went wrong.
        reason: String,
    },
    /// The step panicked; the session's state is dropped and reopened.
    #[error("pipeline `{pipeline}` panicked: {reason}")]
    Panicked {
        /// The pipeline's id.
        pipeline: String,
        /// The panic's message.
        reason: String,
    },
}

impl PipelineError {
    /// Shorthand for [`PipelineError::Failed`].
    pub fn failed(pipeline: &str, reason: impl std::fmt::Display) -> Self {
        Self::Failed {
            pipeline: pipeline.to_owned(),
            reason: reason.to_string(),
        }
    }

    /// What the reader can do about it; stands beside the message and not inside it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Load { hint, .. } => hint.as_deref(),
            Self::OutOfMemory { .. } => {
                Some("use a smaller `width` and `height`, or fewer sessions")
            }
            _ => None,
        }
    }
}
