//! The device's thread in this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use limn_pipeline::{
    BatchKey, DeviceInfo, DeviceMemory, HostJob, Output, PipelineEntry, PipelineError, Registry,
    Row, SessionId,
};
use tokio::sync::{oneshot, watch};

use super::gauge::Gauge;
use super::inbox::{Inbox, Waiting};
use super::worker::AtWork;
use super::{InferenceConfig, Readiness, loader, worker};
use crate::lock::lock;

/// A handle to the thread.
pub struct Local {
    inbox: Arc<Inbox>,
    rows: Mutex<HashMap<&'static str, watch::Receiver<Readiness>>>,
    config: InferenceConfig,
    device: DeviceInfo,
    gauge: Gauge,
}

impl Local {
    /// Starts the thread, which says whom it works for; nothing is loaded yet.
    ///
    /// # Errors
    /// If there is no thread to be had.
    pub fn start(
        registry: &Registry,
        config: InferenceConfig,
        device: DeviceInfo,
        at_work: AtWork,
    ) -> Result<Self, PipelineError> {
        let inbox = Arc::new(Inbox::default());
        let no_thread = |error: std::io::Error| PipelineError::Load {
            what: "device thread".to_owned(),
            reason: error.to_string(),
            hint: None,
        };
        worker::spawn(Arc::clone(&inbox), device.device == "cpu", at_work).map_err(no_thread)?;
        let gauge = Gauge::start(registry, device.device.clone()).map_err(no_thread)?;
        Ok(Self {
            inbox,
            rows: Mutex::default(),
            config,
            device,
            gauge,
        })
    }

    /// See [`super::Inference::row`].
    pub fn row(
        &self,
        entry: &'static PipelineEntry,
        row: &'static Row,
    ) -> watch::Receiver<Readiness> {
        let mut rows = lock(&self.rows);
        if let Some(state) = rows.get(row.id)
            && !matches!(*state.borrow(), Readiness::Failed(_))
        {
            return state.clone();
        }
        let (config, device) = (self.config.clone(), self.device.clone());
        let state = loader::spawn(entry, row, config, device, Arc::clone(&self.inbox));
        rows.insert(row.id, state.clone());
        state
    }

    /// Where a row is, if anybody has asked for it.
    pub fn state(&self, row: &str) -> Option<Readiness> {
        Some(lock(&self.rows).get(row)?.borrow().clone())
    }

    /// See [`super::Inference::turn`].
    pub async fn turn(
        &self,
        row: &'static Row,
        job: HostJob,
        key: Option<BatchKey>,
    ) -> Result<Output, PipelineError> {
        let (reply, answer) = oneshot::channel();
        self.inbox.wait_for_turn(Waiting {
            row: row.id,
            key,
            job,
            reply,
        });
        answer.await.unwrap_or(Err(PipelineError::Cancelled))
    }

    /// Forgets a session.
    pub fn close(&self, session: SessionId) {
        self.inbox.close(session);
    }

    /// How many frames wait for their turn.
    pub fn waiting(&self) -> usize {
        self.inbox.waiting()
    }

    /// How many sessions the loaded pipelines remember, as of the thread's last look.
    pub fn open_sessions(&self) -> usize {
        self.inbox.open_sessions()
    }

    /// See [`super::Inference::memory`].
    pub fn memory(&self) -> Option<DeviceMemory> {
        self.gauge.read()
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.inbox.stop();
    }
}
