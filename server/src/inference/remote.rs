//! The device's thread in a process of its own, seen from the server. A thread cannot be ended, and a device that has lost its
//! context is not to be repaired inside a process: so that process is ended, and another begun.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use limn_pipeline::{BatchKey, DeviceMemory, HostJob, Output, PipelineError, Row, SessionId};
use prometheus_client::metrics::counter::Counter;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::patience::Patience;
use super::rows::Rows;
use super::supervisor::supervise;
use super::wire::{News, Order};
use super::{InferenceConfig, Readiness};
use crate::lock::lock;

/// A handle to the process.
pub struct Remote {
    state: Arc<State>,
    _running: DropGuard,
}

/// What is known of the process.
#[derive(Default)]
pub(super) struct State {
    /// Locked before `rows`, where both are.
    link: Mutex<Link>,
    rows: Mutex<Rows>,
    numbers: AtomicU64,
    open_sessions: AtomicUsize,
    /// Whether there is no process, and was one.
    lost: AtomicBool,
    memory: Mutex<Option<DeviceMemory>>,
    /// Whether this process has painted a frame.
    painted: AtomicBool,
}

#[derive(Default)]
struct Link {
    /// `None` while there is no process.
    orders: Option<mpsc::UnboundedSender<Order>>,
    pending: HashMap<u64, Pending>,
    /// When the process said something last.
    heard: Option<Instant>,
    patience: Patience,
}

struct Pending {
    session: SessionId,
    row: &'static str,
    since: Instant,
    reply: oneshot::Sender<Result<Output, PipelineError>>,
}

impl Remote {
    /// Starts the process, and another whenever it ends.
    ///
    /// # Errors
    /// If this program cannot be found to be started again.
    pub fn start(config: InferenceConfig, restarts: Counter) -> Result<Self, PipelineError> {
        let program = std::env::current_exe().map_err(|error| PipelineError::Load {
            what: "device process".to_owned(),
            reason: error.to_string(),
            hint: Some("`--worker thread` does without it".to_owned()),
        })?;
        let state = Arc::new(State::default());
        let over = CancellationToken::new();
        let running = over.clone().drop_guard();
        let care = supervise(Arc::clone(&state), program, config, restarts);
        tokio::spawn(over.run_until_cancelled_owned(care));
        Ok(Self {
            state,
            _running: running,
        })
    }

    /// See [`super::Inference::row`].
    pub fn row(&self, row: &'static Row) -> watch::Receiver<Readiness> {
        let state = lock(&self.state.rows).ask(row.id);
        self.state.order(Instant::now());
        state
    }

    /// Where a row is, if anybody has asked for it.
    pub fn state(&self, row: &str) -> Option<Readiness> {
        lock(&self.state.rows).state(row)
    }

    /// See [`super::Inference::turn`].
    pub async fn turn(
        &self,
        row: &'static Row,
        job: HostJob,
        key: Option<BatchKey>,
    ) -> Result<Output, PipelineError> {
        let number = self.state.numbers.fetch_add(1, Ordering::Relaxed);
        let (reply, answer) = oneshot::channel();
        let session = job.session;
        let order = Order::Turn {
            number,
            row: row.id.to_owned(),
            key,
            job: Box::new(job),
        };
        let since = Instant::now();
        let pending = Pending {
            session,
            row: row.id,
            since,
            reply,
        };
        lock(&self.state.link).pending.insert(number, pending);
        let _waiting = Waiting {
            state: &self.state,
            number,
        };
        let gone = || PipelineError::DeviceLost {
            reason: "its process has ended".to_owned(),
            under_it: false,
        };
        if !self.state.tell(order) {
            return Err(gone());
        }
        answer.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Forgets a session.
    pub fn close(&self, session: SessionId) {
        self.state.tell(Order::Close { session });
    }

    /// How many frames wait for their turn.
    pub fn waiting(&self) -> usize {
        lock(&self.state.link).pending.len()
    }

    /// How many sessions the process remembers, as of its last frame.
    pub fn open_sessions(&self) -> usize {
        self.state.open_sessions.load(Ordering::Relaxed)
    }

    /// See [`super::Inference::memory`].
    pub fn memory(&self) -> Option<DeviceMemory> {
        *lock(&self.state.memory)
    }

    /// What the process writes down from now on; the next one is told at its start.
    pub fn log(&self, filter: &str) {
        let filter = filter.to_owned();
        self.state.tell(Order::Log { filter });
    }

    /// Whether there is no process, or one that has not begun to paint again.
    pub fn is_lost(&self) -> bool {
        self.state.lost.load(Ordering::Relaxed) || lock(&self.state.rows).is_recovering()
    }
}

/// Somebody waits for the answer; gone, the frame is withdrawn.
struct Waiting<'a> {
    state: &'a State,
    number: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let number = self.number;
        let unanswered = lock(&self.state.link).pending.remove(&number).is_some();
        if unanswered {
            self.state.tell(Order::Withdraw { number });
        }
    }
}

impl State {
    /// Whether there was a process to tell.
    fn tell(&self, order: Order) -> bool {
        let link = lock(&self.link);
        link.orders
            .as_ref()
            .is_some_and(|orders| orders.send(order).is_ok())
    }

    pub(super) fn hear(&self, news: News) {
        let now = Instant::now();
        match news {
            News::Row { row, state } => {
                lock(&self.link).heard = Some(now);
                lock(&self.rows).hear(&row, state, now);
                self.order(now);
            }
            News::Painted {
                number,
                result,
                open_sessions,
            } => {
                self.open_sessions.store(open_sessions, Ordering::Relaxed);
                self.painted.fetch_or(result.is_ok(), Ordering::Relaxed);
                let mut link = lock(&self.link);
                let heard = link.heard.replace(now);
                let Some(pending) = link.pending.remove(&number) else {
                    return;
                };
                let since = heard.map_or(pending.since, |heard| heard.max(pending.since));
                link.patience.note(pending.row, now - since);
                // Nobody listens any more if the session ended meanwhile.
                let _ = pending.reply.send(*result);
            }
            News::Memory(memory) => *lock(&self.memory) = Some(memory),
        }
    }

    /// Has the process read what is to be read, and answers why it should be given up, if it has been silent for too long.
    pub(super) fn look(&self, limit: Option<Duration>, now: Instant) -> Option<String> {
        self.order(now);
        self.overdue(limit, now)
    }

    fn order(&self, now: Instant) {
        let link = lock(&self.link);
        // Where there is no process, the next one is told.
        let Some(orders) = &link.orders else { return };
        for row in lock(&self.rows).due(now) {
            let row = row.to_owned();
            let _ = orders.send(Order::Load { row });
        }
    }

    fn overdue(&self, limit: Option<Duration>, now: Instant) -> Option<String> {
        let link = lock(&self.link);
        let silent_since = |since: Instant| link.heard.map_or(since, |heard| heard.max(since));
        let Some(oldest) = link.pending.values().min_by_key(|pending| pending.since) else {
            let silent = |since| now.saturating_duration_since(silent_since(since));
            return lock(&self.rows).overdue(limit, silent);
        };
        let rows = link.pending.values().map(|pending| pending.row);
        let limit = limit.or_else(|| rows.map(|row| link.patience.with(row)).max())?;
        let silent = now.saturating_duration_since(silent_since(oldest.since));
        (silent > limit).then(|| format!("it gave no answer for {:.1} s", silent.as_secs_f64()))
    }

    /// The process is gone: nobody waits for it, and every row is to be read again.
    /// `at_work` names those whose frames were on the device.
    pub(super) fn lose(&self, reason: &str, at_work: &str) {
        self.lost.store(true, Ordering::Relaxed);
        self.open_sessions.store(0, Ordering::Relaxed);
        *lock(&self.memory) = None;
        let pending = {
            let mut link = lock(&self.link);
            (link.orders, link.heard) = (None, None);
            std::mem::take(&mut link.pending)
        };
        lock(&self.rows).lose();
        for pending in pending.into_values() {
            let id = pending.session.0.to_string();
            let lost = PipelineError::DeviceLost {
                reason: reason.to_owned(),
                under_it: at_work.split(' ').any(|there| there == id),
            };
            let _ = pending.reply.send(Err(lost));
        }
    }

    /// There is a process: it is told what had been asked for.
    pub(super) fn begin(&self, orders: mpsc::UnboundedSender<Order>) {
        self.painted.store(false, Ordering::Relaxed);
        lock(&self.link).orders = Some(orders);
        self.lost.store(false, Ordering::Relaxed);
        self.order(Instant::now());
    }

    /// Whether this process has painted a frame.
    pub(super) fn has_painted(&self) -> bool {
        self.painted.load(Ordering::Relaxed)
    }
}
