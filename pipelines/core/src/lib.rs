//! The contract between Limn's server and a pipeline. No torch, no tokio, no HTTP.
//!
//! ```text
//!  Frame ──► Pipeline::prepare (CPU pool) ──► Prepared ──► Pipeline::process (device thread) ──► Output
//!                                                 ▲
//!                     Door: outside values ──► ParamSet
//! ```
//!
//! A pipeline is written against typed parameters ([`Pipeline`]); the server holds it by its object-safe face
//! ([`PipelineHost`]), where sessions are named by id. The two meet once, in [`host`].

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod cancel;
pub mod entry;
pub mod error;
pub mod frame;
pub mod host;
pub mod params;
pub mod pipeline;
pub mod pixels;

pub use cancel::Cancel;
pub use entry::{
    Checkpoint, DeviceInfo, DeviceMemory, LoadContext, PipelineEntry, Registry, Row, Value,
};
pub use error::PipelineError;
pub use frame::{Frame, FrameError, JpegFrame, PixelFormat, Size, Timestamp};
pub use host::{HostJob, PipelineHost, SessionId};
pub use params::{Door, ParamError, ParamSet, Params, Unknown};
pub use pipeline::{
    BatchKey, Input, Job, Output, Pipeline, PipelineInfo, Prepared, Report, RunsOn, StageTime,
};
