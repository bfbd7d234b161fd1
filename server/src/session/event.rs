//! What a session says to its user: over the socket that steers it, and as server-sent events.

use std::sync::Arc;

use limn_pipeline::{PipelineError, Report};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::fanout::ndi::MirrorState;
use crate::refusal::Refusal;

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EndReason {
    /// `--timeout` has passed since it began.
    Timeout,
    /// Nothing came for `--idle-timeout`.
    Idle,
    /// Its owner ended it, or left.
    Left,
    /// An operator ended it.
    Removed,
    /// The server stops.
    Draining,
}

impl EndReason {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Timeout,
        Self::Idle,
        Self::Left,
        Self::Removed,
        Self::Draining,
    ];

    /// As its owner is told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Idle => "idle",
            Self::Left => "left",
            Self::Removed => "removed",
            Self::Draining => "draining",
        }
    }
}

/// What is said once a second: a session's numbers, and what it is painted on.
#[derive(Debug, Serialize)]
pub struct StatsEvent {
    /// Its numbers.
    #[serde(flatten)]
    pub report: super::stats::Report,
    /// It and the program as NDI sources.
    pub ndi: NdiStates,
    /// Its pipeline.
    pub pipeline: &'static str,
    /// Its row.
    pub row: &'static str,
    /// What the row runs on.
    pub device: String,
    /// The row's weights, in words.
    pub checkpoint: Option<String>,
}

/// See [`StatsEvent::ndi`].
#[derive(Debug, Serialize)]
pub struct NdiStates {
    /// The program.
    pub program: Option<MirrorState>,
    /// The session.
    pub session: Option<MirrorState>,
}

/// One message; its JSON has the tag `status`, which the nearest peer's page ignores where it does not know it.
#[derive(Clone, Debug)]
pub enum Event {
    /// A picture, a parameter or a step was refused; the session goes on.
    Refused(Refusal),
    /// A row is being loaded; the stream stands still until it is ready.
    Loading {
        /// The row.
        row: &'static str,
    },
    /// The device is being taken up again; the stream stands still until it is back.
    Recovering,
    /// A row paints.
    Ready {
        /// The row.
        row: &'static str,
        /// The parameters it will use.
        params: Map<String, Value>,
    },
    /// A word from the pipeline.
    Report(Report),
    /// The server stops, in so many seconds or when all have left.
    Draining {
        /// How many.
        seconds: f64,
    },
    /// It is on air now, or no longer.
    OnAir {
        /// Which of the two.
        on_air: bool,
    },
    /// Once a second: rates, latency, stages.
    Stats(Arc<StatsEvent>),
}

impl Event {
    /// The message for the session's owner.
    pub fn json(&self) -> Value {
        let tagged = |status: &str, value: Value| {
            let mut map = Map::from_iter([("status".to_owned(), status.into())]);
            map.extend(value.as_object().cloned().unwrap_or_default());
            Value::Object(map)
        };
        match self {
            Self::Refused(refusal) => tagged("refused", refusal.json()),
            Self::Recovering => json!({"status": "recovering"}),
            Self::Loading { row } => json!({"status": "loading", "row": row}),
            Self::Ready { row, params } => json!({"status": "ready", "row": row, "params": params}),
            Self::Draining { seconds } => json!({"status": "draining", "seconds": seconds}),
            Self::OnAir { on_air } => json!({"status": "program", "on_air": on_air}),
            Self::Report(report) => json!({"status": "report", "report": report}),
            Self::Stats(stats) => tagged("stats", json!(stats)),
        }
    }

    /// The message for a viewer, who must not learn prompts: reports and parameters stay out.
    pub fn public_json(&self) -> Option<Value> {
        match self {
            Self::Report(_) | Self::Refused(_) => None,
            Self::Ready { row, .. } => Some(json!({"status": "ready", "row": row})),
            Self::Loading { .. }
            | Self::Recovering
            | Self::Draining { .. }
            | Self::OnAir { .. }
            | Self::Stats(_) => Some(self.json()),
        }
    }
}

impl From<&PipelineError> for Event {
    fn from(error: &PipelineError) -> Self {
        Self::Refused(Refusal::from(error))
    }
}
