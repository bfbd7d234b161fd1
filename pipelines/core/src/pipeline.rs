//! The one trait that a pipeline implements.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cancel::Cancel;
use crate::entry::{LoadContext, Row};
use crate::error::PipelineError;
use crate::frame::Frame;
use crate::params::Params;

/// What a pipeline is, for people and for the server.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct PipelineInfo {
    /// The name in `--pipeline`, lowercase.
    pub id: &'static str,
    /// The name people read.
    pub title: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// What it paints from.
    pub input: Input,
    /// Whether its step needs the device thread.
    pub runs_on: RunsOn,
}

/// What a pipeline paints from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Input {
    /// Words only: a metronome drives it.
    Text,
    /// A picture is needed.
    Image,
    /// A picture if the session has a source, words alone if not.
    Either,
}

/// Where a pipeline's step runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunsOn {
    /// On the CPU pool: it never stands behind the device.
    Cpu,
    /// On the one thread that touches the device.
    Device,
}

/// What the CPU made of a frame before its turn: pictures, no tensors, so that it can cross to another process.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Prepared {
    /// The camera's picture, already of the parameters' size. `None` when the session has no source.
    pub picture: Option<Frame>,
    /// A map that guides the picture (edges, say), of the same size.
    pub control: Option<Frame>,
}

impl Prepared {
    /// Whether painting it again would give the same picture, the parameters being equal.
    pub fn same_pictures(&self, other: &Self) -> bool {
        let same = |a: &Option<Frame>, b: &Option<Frame>| match (a, b) {
            (Some(a), Some(b)) => a.same_picture(b),
            (None, None) => true,
            _ => false,
        };
        same(&self.picture, &other.picture) && same(&self.control, &other.control)
    }
}

/// One frame to paint, for one session.
pub struct Job<'a, P: Pipeline> {
    /// What [`Pipeline::prepare`] made of the frame.
    pub prepared: &'a Prepared,
    /// The session's parameters for this frame.
    pub params: &'a P::Params,
    /// Whether they differ from those of the session's last frame (true for its first).
    pub changed: bool,
    /// What the pipeline remembers of this session, and of no other.
    pub state: &'a mut P::State,
    /// Raised when nobody needs this frame any more.
    pub cancel: &'a Cancel,
}

/// How long one stage of a step took.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StageTime {
    /// The stage: `encode_prompt`, `vae_encode`, `denoise`, ...
    pub stage: Cow<'static, str>,
    /// Milliseconds.
    pub millis: f64,
}

/// A small message from a pipeline to the session's event stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Report {
    /// The prompt was longer than the text encoder reads; the rest was left out.
    PromptTruncated {
        /// The words that were not read.
        left_out: String,
    },
    /// The safety checker flagged a picture, and not the one before: what follows is blurred.
    Flagged,
    /// The safety checker flags no more.
    Cleared,
}

/// A painted picture.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Output {
    /// The picture; the host stamps it with the sequence and time of the frame it came from.
    pub frame: Frame,
    /// Something the session's user should know.
    pub report: Option<Report>,
    /// How long each stage took, in order.
    pub stages: Vec<StageTime>,
    /// The safety checker would not show what was painted: the picture is blurred past recognition.
    #[serde(default)]
    pub flagged: bool,
}

impl From<Frame> for Output {
    fn from(frame: Frame) -> Self {
        Self {
            frame,
            report: None,
            stages: Vec::new(),
            flagged: false,
        }
    }
}

/// Jobs whose keys are equal may share one device call.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BatchKey(pub String);

/// Loaded weights and the way to run them. Synchronous, because a step is a blocking device call.
pub trait Pipeline: Send + Sized + 'static {
    /// What a user may change.
    type Params: Params;
    /// What is remembered of one session between frames. Apart from `self`, so that nobody sees another's.
    type State: Send + 'static;
    /// Name, title, input, place.
    const INFO: PipelineInfo;
    /// Whether it looks at the camera's pixels. One that only hands pictures on says no, and is given a JPEG of the right
    /// size without anybody having decoded it.
    const READS_PIXELS: bool = true;
    /// Whether the safety checker, where the operator asks for one, looks at what it paints. One that it does not look at is
    /// not offered then.
    const GUARDED: bool = false;

    /// Reads the row's checkpoint into host memory. Runs on a loader thread while others paint.
    fn load(context: &LoadContext<'_>, row: &Row) -> Result<Self, PipelineError>;

    /// What it paints with, for the log and the page: the checkpoint by name, and whether it is only a stand-in.
    /// Provided: nothing, as for a pipeline without weights.
    fn describe(&self) -> String {
        String::new()
    }

    /// Moves the next part of the weights to the device; true once all are there. Called on the device thread,
    /// between frames, so that nobody's stream stops because somebody chose another pipeline.
    fn settle(&mut self) -> Result<bool, PipelineError> {
        Ok(true)
    }

    /// A new session's state.
    fn open(&mut self, params: &Self::Params) -> Result<Self::State, PipelineError>;

    /// What the CPU can do for a frame before its turn. `picture` has the parameters' size already.
    fn prepare(picture: Option<Frame>, params: &Self::Params) -> Result<Prepared, PipelineError> {
        let _ = params;
        Ok(Prepared {
            picture,
            control: None,
        })
    }

    /// Paints one frame.
    fn process(&mut self, job: Job<'_, Self>) -> Result<Output, PipelineError>;

    /// Which jobs may share one device call. Provided: none.
    fn batch_key(params: &Self::Params) -> Option<BatchKey> {
        let _ = params;
        None
    }

    /// Paints jobs of equal keys; one result each, in order. Provided: one after the other.
    fn process_batch(&mut self, jobs: Vec<Job<'_, Self>>) -> Vec<Result<Output, PipelineError>> {
        jobs.into_iter().map(|job| self.process(job)).collect()
    }
}
