//! The device's thread in a process of its own, seen from the server. A thread cannot be ended, and a device that has lost its
//! context is not to be repaired inside a process: so that process is ended, and another begun.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdStream;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use limn_pipeline::{BatchKey, DeviceMemory, HostJob, Output, PipelineError, Row, SessionId};
use prometheus_client::metrics::counter::Counter;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::patience::Patience;
use super::wire::{News, Order, receive, send};
use super::{InferenceConfig, Readiness};
use crate::lock::lock;
use crate::telemetry;

/// The pauses between one process and the next; a process that has painted begins them anew.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// How often the device's silence is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// A handle to the process.
pub struct Remote {
    state: Arc<State>,
    _running: DropGuard,
}

#[derive(Default)]
struct State {
    link: Mutex<Link>,
    rows: Mutex<HashMap<&'static str, watch::Sender<Readiness>>>,
    numbers: AtomicU64,
    open_sessions: AtomicUsize,
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
        let mut rows = lock(&self.state.rows);
        let state = rows
            .entry(row.id)
            .or_insert_with(|| watch::Sender::new(Readiness::Failed(PipelineError::Cancelled)));
        if matches!(*state.borrow(), Readiness::Failed(_)) {
            state.send_replace(Readiness::Loading);
            // Where there is no process, the next one is told.
            self.state.tell(Order::Load {
                row: row.id.to_owned(),
            });
        }
        state.subscribe()
    }

    /// Where a row is, if anybody has asked for it.
    pub fn state(&self, row: &str) -> Option<Readiness> {
        Some(lock(&self.state.rows).get(row)?.borrow().clone())
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
        self.state.lost.load(Ordering::Relaxed)
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

    fn hear(&self, news: News) {
        let now = Instant::now();
        match news {
            News::Row { row, state } => {
                lock(&self.link).heard = Some(now);
                if matches!(state, Readiness::Ready(_)) {
                    self.lost.store(false, Ordering::Relaxed);
                }
                if let Some(there) = lock(&self.rows).get(row.as_str()) {
                    there.send_replace(state);
                }
            }
            News::Painted {
                number,
                result,
                open_sessions,
            } => {
                self.open_sessions.store(open_sessions, Ordering::Relaxed);
                self.painted.store(true, Ordering::Relaxed);
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

    /// Why the process should be given up, if it has been silent for too long.
    fn overdue(&self, limit: Option<Duration>, now: Instant) -> Option<String> {
        let link = lock(&self.link);
        let oldest = link.pending.values().min_by_key(|pending| pending.since)?;
        let since = link
            .heard
            .map_or(oldest.since, |heard| heard.max(oldest.since));
        let rows = link.pending.values().map(|pending| pending.row);
        let limit = limit.or_else(|| rows.map(|row| link.patience.with(row)).max())?;
        let silent = now.saturating_duration_since(since);
        (silent > limit).then(|| format!("it gave no answer for {:.1} s", silent.as_secs_f64()))
    }

    /// The process is gone: nobody waits for it, and every row is to be read again.
    /// `at_work` names those whose frames were on the device.
    fn lose(&self, reason: &str, at_work: &str) {
        self.lost.store(true, Ordering::Relaxed);
        self.open_sessions.store(0, Ordering::Relaxed);
        *lock(&self.memory) = None;
        let pending = {
            let mut link = lock(&self.link);
            (link.orders, link.heard) = (None, None);
            std::mem::take(&mut link.pending)
        };
        for state in lock(&self.rows).values() {
            state.send_if_modified(|state| {
                let was_ready = matches!(state, Readiness::Ready(_));
                if was_ready {
                    *state = Readiness::Loading;
                }
                was_ready
            });
        }
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
    fn begin(&self, orders: mpsc::UnboundedSender<Order>) {
        let rows = lock(&self.rows);
        let mut wanted = 0;
        for (row, state) in rows.iter() {
            if !matches!(*state.borrow(), Readiness::Failed(_)) {
                let row = (*row).to_owned();
                let _ = orders.send(Order::Load { row });
                wanted += 1;
            }
        }
        if wanted == 0 {
            self.lost.store(false, Ordering::Relaxed);
        }
        lock(&self.link).orders = Some(orders);
    }
}

async fn supervise(
    state: Arc<State>,
    program: std::path::PathBuf,
    config: InferenceConfig,
    restarts: Counter,
) {
    let mut failures = 0;
    loop {
        state.painted.store(false, Ordering::Relaxed);
        let (reason, at_work) = match start(&program) {
            Ok((mut child, socket)) => {
                let notes = tokio::spawn(last_line(child.stdout.take()));
                tokio::spawn(pass_on(child.stderr.take()));
                let reason = attend(&state, &mut child, socket, &config).await;
                let _ = child.kill().await;
                (reason, notes.await.unwrap_or_default())
            }
            Err(error) => (format!("it cannot be started: {error}"), String::new()),
        };
        state.lose(&reason, &at_work);
        if state.painted.load(Ordering::Relaxed) {
            failures = 0;
        }
        let pause = PAUSES[failures.min(PAUSES.len() - 1)];
        failures += 1;
        restarts.inc();
        let again = pause.as_secs_f64();
        tracing::error!("the device's process is gone: {reason}; another begins in {again} s");
        tokio::time::sleep(pause).await;
    }
}

fn start(program: &std::path::Path) -> std::io::Result<(Child, UnixStream)> {
    let (ours, theirs) = StdStream::pair()?;
    ours.set_nonblocking(true)?;
    let child = Command::new(program)
        .arg("worker")
        .envs(telemetry::variables())
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    Ok((child, UnixStream::from_std(ours)?))
}

/// The last whole line that the process wrote.
async fn last_line(output: Option<ChildStdout>) -> String {
    let mut last = String::new();
    let Some(output) = output else { return last };
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        last = line;
    }
    last
}

/// Its log lines are the server's. What libtorch or a panic writes comes the same way, in whatever bytes.
async fn pass_on(errors: Option<ChildStderr>) {
    let Some(errors) = errors else { return };
    let mut lines = BufReader::new(errors).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        telemetry::pass_on(&String::from_utf8_lossy(&line));
    }
}

/// Talks with the process until it is gone, or must go; answers why.
async fn attend(
    state: &State,
    child: &mut Child,
    socket: UnixStream,
    config: &InferenceConfig,
) -> String {
    let (reader, mut writer) = socket.into_split();
    let mut reader = BufReader::new(reader);
    let (orders, mut leaving) = mpsc::unbounded_channel();
    let _ = orders.send(Order::Start(Box::new(config.clone())));
    state.begin(orders);
    let tell = async {
        while let Some(order) = leaving.recv().await {
            if let Err(error) = send(&mut writer, &order).await {
                return error.to_string();
            }
        }
        "nobody gives orders any more".to_owned()
    };
    let hear = async {
        loop {
            match receive(&mut reader).await {
                Ok(Some(news)) => state.hear(news),
                // How it ended says more.
                Ok(None) => std::future::pending().await,
                Err(error) => return error.to_string(),
            }
        }
    };
    let watch = async {
        loop {
            tokio::time::sleep(LOOK).await;
            if let Some(reason) = state.overdue(config.device_timeout, Instant::now()) {
                return reason;
            }
        }
    };
    tokio::select! {
        ended = child.wait() => match ended {
            Ok(status) => format!("it ended with {status}"),
            Err(error) => error.to_string(),
        },
        reason = tell => reason,
        reason = hear => reason,
        reason = watch => reason,
    }
}
