//! The road that a frame takes, in the order it takes it.
//!
//! ```text
//!  ingest             session           scheduler       inference         encode        fanout
//!  bytes from a   ─► inlet ═► prepare ═► whose turn? ─► device thread ═► JPEG, once ═► MJPEG body x viewers
//!  stranger           (newest)           FrameScheduler  or CPU pool     (if watched)  snapshot
//!
//!  ═══ a cell that holds one value, the newest: see [`cell`]. Nothing on the road queues frames.
//! ```
//!
//! A [`session`] strings one road together; the stages are beads and never import each other. [`http`] is the door.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod access;
pub mod address;
pub mod bench;
pub mod cell;
pub mod config;
pub mod doctor;
pub mod encode;
pub mod fanout;
pub mod http;
pub mod inference;
pub mod ingest;
pub mod lettering;
pub mod listing;
pub mod lock;
pub mod metrics;
pub mod ndi;
pub mod osc;
pub mod picture;
pub mod pool;
pub mod program;
pub mod refusal;
pub mod scale;
pub mod scheduler;
pub mod screen;
pub mod seconds;
pub mod session;
pub mod shutdown;
pub mod tally;
pub mod telemetry;

mod run;

pub use config::Config;
pub use run::{Running, run, start};
