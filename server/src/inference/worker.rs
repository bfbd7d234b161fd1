//! The one thread that touches the device.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use limn_pipeline::{HostJob, PipelineHost, SessionId};
use tokio::sync::watch;

use super::Readiness;
use super::inbox::{Arrival, Inbox, Waiting};
use crate::scheduler::FrameScheduler;

/// The most frames that share one device call.
const LARGEST_BATCH: usize = 8;

/// Told whose frames are painted, before each call and, with nobody's, after it.
pub type AtWork = Box<dyn FnMut(&[SessionId]) + Send>;

/// Starts the thread. `shares_cores`: the device is the CPU itself, so streams and sockets go before painting.
pub fn spawn(inbox: Arc<Inbox>, shares_cores: bool, at_work: AtWork) -> std::io::Result<()> {
    std::thread::Builder::new()
        .name("limn-device".to_owned())
        .spawn(move || {
            if shares_cores {
                give_way();
            }
            Worker {
                inbox,
                hosts: HashMap::new(),
                scheduler: FrameScheduler::default(),
                at_work,
            }
            .run();
        })?;
    Ok(())
}

/// Lowers the priority of this thread and so of the compute threads that libtorch starts from it: a painter that fills
/// every core must not make a stream on the same machine stutter.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(10) {
        tracing::warn!("cannot lower the device thread's priority: {error}");
    }
}

struct Seat {
    host: Box<dyn PipelineHost>,
    /// Taken once the weights are on the device.
    settling: Option<watch::Sender<Readiness>>,
    /// Keeps the state's sender alive, so that late askers still read it.
    _state: Option<watch::Sender<Readiness>>,
}

struct Worker {
    inbox: Arc<Inbox>,
    hosts: HashMap<&'static str, Seat>,
    scheduler: FrameScheduler,
    at_work: AtWork,
}

impl Worker {
    fn run(mut self) {
        loop {
            let settling = self.hosts.values().any(|seat| seat.settling.is_some());
            let hosts = &self.hosts;
            let can_paint = |waiting: &Waiting| {
                hosts
                    .get(waiting.row)
                    .is_some_and(|seat| seat.settling.is_none())
            };
            let mut contents = self.inbox.wait(|contents| {
                contents.stop
                    || settling
                    || !contents.arrivals.is_empty()
                    || !contents.closed.is_empty()
                    || contents.waiting.iter().any(can_paint)
            });
            if contents.stop {
                return;
            }
            // A session that has ended is not worked for.
            contents
                .waiting
                .retain(|waiting| !waiting.reply.is_closed());
            let next = self.scheduler.pick(
                contents
                    .waiting
                    .iter()
                    .filter(|waiting| can_paint(waiting))
                    .map(|waiting| waiting.job.session),
            );
            let batch = next
                .map(|session| take_batch(&mut contents.waiting, session))
                .unwrap_or_default();
            let arrivals = std::mem::take(&mut contents.arrivals);
            let closed = std::mem::take(&mut contents.closed);
            drop(contents);

            for session in closed {
                self.hosts
                    .values_mut()
                    .for_each(|seat| seat.host.close(session));
                self.scheduler.leave(session);
            }
            for Arrival { row, host, state } in arrivals {
                self.hosts.insert(
                    row,
                    Seat {
                        host,
                        settling: Some(state),
                        _state: None,
                    },
                );
            }
            self.paint(batch);
            self.settle();
            self.inbox.remember_open_sessions(
                self.hosts
                    .values()
                    .map(|seat| seat.host.open_sessions())
                    .sum(),
            );
        }
    }

    fn paint(&mut self, batch: Vec<Waiting>) {
        let Some(row) = batch.first().map(|waiting| waiting.row) else {
            return;
        };
        let Some(seat) = self.hosts.get_mut(row) else {
            return;
        };
        let (jobs, replies): (Vec<HostJob>, Vec<_>) = batch
            .into_iter()
            .map(|waiting| (waiting.job, waiting.reply))
            .unzip();
        let sessions: Vec<_> = jobs.iter().map(|job| job.session).collect();
        (self.at_work)(&sessions);
        let start = Instant::now();
        let results = seat.host.turn(&jobs);
        let share = start.elapsed() / jobs.len() as u32;
        (self.at_work)(&[]);
        for ((job, reply), result) in jobs.iter().zip(replies).zip(results) {
            self.scheduler.charge(job.session, share);
            // Nobody listens any more if the session ended meanwhile.
            let _ = reply.send(result);
        }
    }

    /// Moves one part of one pipeline's weights, so that a frame waits for a part and never for the whole.
    fn settle(&mut self) {
        let Some((row, seat)) = self
            .hosts
            .iter_mut()
            .find(|(_, seat)| seat.settling.is_some())
        else {
            return;
        };
        let row = *row;
        match seat.host.settle() {
            Ok(false) => {}
            Ok(true) => {
                let state = seat.settling.take();
                if let Some(state) = &state {
                    state.send_replace(Readiness::Ready(seat.host.describe()));
                }
                seat._state = state;
                tracing::info!("`{row}` is ready");
            }
            Err(error) => {
                tracing::error!("{error}");
                if let Some(seat) = self.hosts.remove(row)
                    && let Some(state) = seat.settling
                {
                    state.send_replace(Readiness::Failed(error));
                }
            }
        }
    }
}

/// The frame of `session`, and those that may share its device call, in order of arrival.
fn take_batch(waiting: &mut Vec<Waiting>, session: SessionId) -> Vec<Waiting> {
    let Some(first) = waiting
        .iter()
        .position(|waiting| waiting.job.session == session)
    else {
        return Vec::new();
    };
    let mut batch = vec![waiting.remove(first)];
    if batch[0].key.is_some() {
        let mut at = 0;
        while at < waiting.len() && batch.len() < LARGEST_BATCH {
            if waiting[at].row == batch[0].row && waiting[at].key == batch[0].key {
                batch.push(waiting.remove(at));
            } else {
                at += 1;
            }
        }
    }
    batch
}
