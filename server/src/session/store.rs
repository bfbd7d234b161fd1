//! All sessions: create, find, expire, cap.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use limn_pipeline::SessionId;
use prometheus_client::metrics::counter::Counter;
use tokio::sync::Semaphore;

use super::config::SessionConfig;
use super::event::{EndReason, Event, NdiStates, StatsEvent};
use super::line::Line;
use super::names::Names;
use super::road::{self, Tools};
use super::wish::Wish;
use super::{Session, token};
use crate::metrics::{Metrics, Reason};

/// How often the store looks for sessions whose time is over: all of a session is freed within a second of its end.
const SWEEP: Duration = Duration::from_millis(250);

/// Why a session was not created.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// `--max-sessions` run already.
    #[error("server is full")]
    Full {
        /// The asker's place in the line, counted from 1.
        place: usize,
        /// What keeps that place, if it is shown at the next attempt.
        ticket: String,
    },
    /// One address has `--max-sessions-per-address`.
    #[error("{0} sessions run from this address already")]
    Crowded(usize),
    /// A session of that name lives.
    #[error("a session of this name is running")]
    Taken,
    /// A session of that name has ended, and those who watched it would see another's.
    #[error("a session of this name has ended, and only who began it may begin another")]
    Kept,
    /// The server is stopping.
    #[error("server is stopping")]
    Draining,
}

/// All sessions.
pub struct Store {
    sessions: DashMap<String, Arc<Session>>,
    places: Arc<Semaphore>,
    line: Line,
    names: Names,
    /// Set when no session may begin any more.
    draining: AtomicBool,
    /// Until when those that run may go on.
    drained: OnceLock<Instant>,
    next: AtomicU64,
    config: SessionConfig,
    tools: Tools,
    runtime: tokio::runtime::Handle,
}

impl Store {
    /// An empty store whose sessions run on `runtime`; starts the sweep.
    pub fn start(
        config: SessionConfig,
        tools: Tools,
        runtime: tokio::runtime::Handle,
    ) -> Arc<Self> {
        let places = match config.max_sessions {
            0 => Semaphore::MAX_PERMITS,
            most => most.min(Semaphore::MAX_PERMITS),
        };
        for reason in EndReason::ALL {
            ended(&tools.metrics, reason);
        }
        let store = Arc::new(Self {
            sessions: DashMap::new(),
            places: Arc::new(Semaphore::new(places)),
            line: Line::default(),
            names: Names::default(),
            draining: AtomicBool::new(false),
            drained: OnceLock::new(),
            next: AtomicU64::new(1),
            config,
            tools,
            runtime,
        });
        store.runtime.spawn(sweep(Arc::downgrade(&store)));
        store
    }

    /// A new session under the name that was wished for, or under one of the server's.
    pub fn create(&self, wish: Wish) -> Result<Arc<Session>, CreateError> {
        if self.is_draining() {
            return Err(CreateError::Draining);
        }
        self.has_room_for(wish.from)?;
        let now = Instant::now();
        if let Some(name) = &wish.key
            && !self.names.may_have(name, &wish, now)
        {
            return Err(CreateError::Kept);
        }
        // One that this server did not give is none.
        let ticket = wish.ticket.clone().filter(|ticket| token::is_key(ticket));
        let ticket = ticket.or_else(|| wish.key.clone());
        let ticket = ticket.unwrap_or_else(token::new_key);
        if self.places.available_permits() == 0 {
            self.make_room();
        }
        let free = self.places.available_permits();
        let most = self.config.max_sessions_per_address;
        let turn = self.line.ask(&ticket, wish.from, most, free, now);
        let place = turn.and_then(|()| Arc::clone(&self.places).try_acquire_owned().map_err(|_| 1));
        let place = place.map_err(|place| CreateError::Full { place, ticket })?;
        let key = wish.key.clone().unwrap_or_else(token::new_key);
        let id = SessionId(self.next.fetch_add(1, Ordering::Relaxed));
        let Entry::Vacant(vacant) = self.sessions.entry(key.clone()) else {
            return Err(CreateError::Taken);
        };
        let session = Arc::new(Session::new(
            key,
            id,
            wish,
            &self.config,
            &self.tools.metrics,
            place,
        ));
        vacant.insert(Arc::clone(&session));
        road::start(&session, &self.tools, &self.runtime);
        self.tools.metrics.begun.inc();
        tracing::info!("session {} begins; {} running", id.0, self.len());
        Ok(session)
    }

    /// Whether one more may come from there.
    fn has_room_for(&self, from: Option<IpAddr>) -> Result<(), CreateError> {
        let most = self.config.max_sessions_per_address;
        let Some(address) = from.filter(|_| most > 0) else {
            return Ok(());
        };
        let there = self.sessions.iter();
        let count = there
            .filter(|session| session.from() == Some(address))
            .count();
        if count < most {
            return Ok(());
        }
        Err(CreateError::Crowded(count))
    }

    /// Ends the session whose owner has been gone for longest, if that is long enough: it waits for its owner, but not in
    /// the place of somebody who is here.
    fn make_room(&self) {
        let gone = |session: Arc<Session>| Some((session.abandoned()?, session));
        let longest = self
            .all()
            .into_iter()
            .filter_map(gone)
            .max_by_key(|(time, _)| *time);
        if let Some((time, session)) = longest
            && time >= self.config.grace
        {
            self.end(&session, EndReason::Idle);
        }
    }

    /// The session of that name.
    pub fn find(&self, key: &str) -> Option<Arc<Session>> {
        self.sessions.get(key).map(|session| Arc::clone(&session))
    }

    /// Ends a session and frees what it held.
    pub fn end(&self, session: &Session, reason: EndReason) {
        if self
            .sessions
            .remove_if(&session.key, |_, other| other.id == session.id)
            .is_none()
        {
            return;
        }
        session.end(reason);
        self.names.keep(session, Instant::now());
        ended(&self.tools.metrics, reason).inc();
        tracing::info!(
            "session {} ends ({reason:?}); {} running",
            session.id.0,
            self.len()
        );
    }

    /// Takes no more sessions, tells those that run, and waits until all have left, but no longer than `--drain`.
    pub async fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
        let end = *self
            .drained
            .get_or_init(|| Instant::now() + self.config.drain);
        let seconds = self.config.drain.as_secs_f64();
        if seconds > 0.0 {
            let running = self.all();
            tracing::info!("{} sessions may go on for {seconds} s", running.len());
            running
                .iter()
                .for_each(|session| session.say(Event::Draining { seconds }));
        }
        // What the server reads by itself goes on for ever.
        while Instant::now() < end && self.all().iter().any(|session| session.source().is_none()) {
            tokio::time::sleep(SWEEP).await;
        }
    }

    /// Whether no session may begin any more.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// What everybody was told when the server began to stop, with the seconds that are left, for whoever comes after that;
    /// who listens to its session before asking is told in one way or the other.
    pub fn notice(&self) -> Option<Event> {
        let left = self
            .drained
            .get()?
            .saturating_duration_since(Instant::now());
        let seconds = left.as_secs_f64();
        (seconds > 0.0).then_some(Event::Draining { seconds })
    }

    /// Ends all sessions and takes no more.
    pub fn close(&self) {
        self.draining.store(true, Ordering::Relaxed);
        self.all()
            .iter()
            .for_each(|session| self.end(session, EndReason::Draining));
    }

    /// How many players wait for a place.
    pub fn players_waiting(&self) -> usize {
        self.line.len(Instant::now())
    }

    /// How many run.
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Whether none runs.
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// All that run, oldest first.
    pub fn all(&self) -> Vec<Arc<Session>> {
        let mut all: Vec<_> = self
            .sessions
            .iter()
            .map(|session| Arc::clone(&session))
            .collect();
        all.sort_by_key(|session| session.id);
        all
    }

    /// The limits in force.
    pub fn config(&self) -> &SessionConfig {
        &self.config
    }

    /// The statistics event of a session: its numbers, and what it is painted on.
    pub fn stats(&self, session: &Session) -> StatsEvent {
        let choice = session.choice();
        let program = self
            .tools
            .mirrors
            .as_ref()
            .map(|mirrors| mirrors.program().report());
        StatsEvent {
            report: session.stats().report(session.viewers()),
            ndi: NdiStates {
                program,
                session: session.ndi(),
            },
            pipeline: choice.entry.info.id,
            row: choice.row.id,
            device: self.tools.inference.device().device.clone(),
            checkpoint: self.tools.inference.describe(choice.row),
        }
    }
}

/// The counter of a reason; it begins at 0 where it is first asked for.
fn ended(metrics: &Metrics, reason: EndReason) -> Counter {
    let reason = reason.name();
    metrics.ended.get_or_create_owned(&Reason { reason })
}

async fn sweep(store: std::sync::Weak<Store>) {
    let mut ticks = tokio::time::interval(SWEEP);
    let mut told = Instant::now();
    loop {
        ticks.tick().await;
        let Some(store) = store.upgrade() else { return };
        let tell = told.elapsed() >= Duration::from_secs(1);
        if tell {
            told = Instant::now();
        }
        for session in store.all() {
            if let Some(reason) = session.overdue(&store.config) {
                store.end(&session, reason);
            } else if tell {
                session.stats().tick(Instant::now());
                session.screen().audience().tick(Instant::now());
                session.say(Event::Stats(Arc::new(store.stats(&session))));
            }
        }
    }
}
