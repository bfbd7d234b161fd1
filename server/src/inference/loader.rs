//! Reads a pipeline into host memory on a thread of its own, so that nobody's stream stops meanwhile.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use limn_pipeline::{DeviceInfo, PipelineEntry, PipelineError, Row};
use tokio::sync::watch;

use super::inbox::{Arrival, Inbox};
use super::{InferenceConfig, Readiness};

/// Starts loading; the device thread says [`Readiness::Ready`] once it has taken the weights in.
pub fn spawn(
    entry: &'static PipelineEntry,
    row: &'static Row,
    config: InferenceConfig,
    device: DeviceInfo,
    inbox: Arc<Inbox>,
) -> watch::Receiver<Readiness> {
    let (state, receiver) = watch::channel(Readiness::Loading);
    let started = std::thread::Builder::new()
        .name(format!("limn-load-{}", row.id))
        .spawn({
            let state = state.clone();
            move || {
                let start = Instant::now();
                let loaded = catch_unwind(AssertUnwindSafe(|| {
                    (entry.load)(&config.context(&device), row)
                }))
                .unwrap_or_else(|_| {
                    Err(PipelineError::failed(
                        row.id,
                        "loading panicked; the log says where",
                    ))
                });
                match loaded {
                    Ok(host) => {
                        tracing::info!(
                            "read `{}` in {:.1} s",
                            row.id,
                            start.elapsed().as_secs_f64()
                        );
                        inbox.arrive(Arrival {
                            row: row.id,
                            host,
                            state,
                        });
                    }
                    Err(error) => {
                        tracing::error!(
                            "{error}{}",
                            error
                                .hint()
                                .map(|hint| format!("; {hint}"))
                                .unwrap_or_default()
                        );
                        state.send_replace(Readiness::Failed(error));
                    }
                }
            }
        });
    if let Err(error) = started {
        state.send_replace(Readiness::Failed(PipelineError::failed(
            row.id,
            format!("no thread to load it: {error}"),
        )));
    }
    receiver
}
