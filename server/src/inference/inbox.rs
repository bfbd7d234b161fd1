//! What waits for the device thread: at most one frame per session, and a few commands.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};

use limn_pipeline::{BatchKey, HostJob, Output, PipelineError, PipelineHost, SessionId};
use tokio::sync::{oneshot, watch};

use super::Readiness;

/// One session's frame that waits for its turn.
pub struct Waiting {
    pub row: &'static str,
    pub key: Option<BatchKey>,
    pub job: HostJob,
    pub reply: oneshot::Sender<Result<Output, PipelineError>>,
}

/// A pipeline in host memory, on its way to the device.
pub struct Arrival {
    pub row: &'static str,
    pub host: Box<dyn PipelineHost>,
    pub state: watch::Sender<Readiness>,
}

#[derive(Default)]
pub struct Contents {
    /// In order of arrival.
    pub waiting: Vec<Waiting>,
    pub arrivals: Vec<Arrival>,
    pub closed: Vec<SessionId>,
    pub stop: bool,
}

/// Shared by the handles, the loaders and the device thread.
#[derive(Default)]
pub struct Inbox {
    contents: Mutex<Contents>,
    changed: Condvar,
    open_sessions: AtomicUsize,
}

impl Inbox {
    /// Puts a frame in line; a session's older one, should it still wait, is overtaken.
    pub fn wait_for_turn(&self, waiting: Waiting) {
        self.change(|contents| {
            contents
                .waiting
                .retain(|other| other.job.session != waiting.job.session);
            contents.waiting.push(waiting);
        });
    }

    pub fn arrive(&self, arrival: Arrival) {
        self.change(|contents| contents.arrivals.push(arrival));
    }

    pub fn close(&self, session: SessionId) {
        self.change(|contents| {
            contents
                .waiting
                .retain(|waiting| waiting.job.session != session);
            contents.closed.push(session);
        });
    }

    pub fn stop(&self) {
        self.change(|contents| contents.stop = true);
    }

    /// Sleeps until `awake` finds something to do.
    pub fn wait(&self, mut awake: impl FnMut(&Contents) -> bool) -> MutexGuard<'_, Contents> {
        let contents = self.lock();
        self.changed
            .wait_while(contents, |contents| !awake(contents))
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// How many frames wait for their turn.
    pub fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    pub fn remember_open_sessions(&self, count: usize) {
        self.open_sessions.store(count, Ordering::Relaxed);
    }

    pub fn open_sessions(&self) -> usize {
        self.open_sessions.load(Ordering::Relaxed)
    }

    fn change(&self, change: impl FnOnce(&mut Contents)) {
        change(&mut self.lock());
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.contents
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
