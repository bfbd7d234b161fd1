//! All sessions: create, find, expire, cap.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use limn_pipeline::SessionId;
use tokio::sync::{Semaphore, TryAcquireError};

use super::event::{EndReason, Event, NdiStates, StatsEvent};
use super::road::{self, Tools};
use super::{Session, SessionConfig, token};
use crate::ingest::source::Source;
use crate::listing::Choice;

/// How often the store looks for sessions whose time is over: all of a session is freed within a second of its end.
const SWEEP: Duration = Duration::from_millis(250);

/// A socket that dropped may come back within this without fear for its place.
const GONE: Duration = Duration::from_secs(5);

/// Why a session was not created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// `--max-sessions` run already.
    #[error("server is full")]
    Full,
    /// A session of that name lives.
    #[error("a session of this name is running")]
    Taken,
    /// The server is stopping.
    #[error("server is stopping")]
    Draining,
}

/// All sessions.
pub struct Store {
    sessions: DashMap<String, Arc<Session>>,
    places: Arc<Semaphore>,
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
        let store = Arc::new(Self {
            sessions: DashMap::new(),
            places: Arc::new(Semaphore::new(places)),
            next: AtomicU64::new(1),
            config,
            tools,
            runtime,
        });
        store.runtime.spawn(sweep(Arc::downgrade(&store)));
        store
    }

    /// A new session under `key`, or under a name of the server's; with a source, if the server reads its pictures.
    pub fn create(
        &self,
        key: Option<String>,
        choice: Choice,
        source: Option<Arc<Source>>,
    ) -> Result<Arc<Session>, CreateError> {
        let take = || Arc::clone(&self.places).try_acquire_owned();
        let place = match take() {
            Err(TryAcquireError::NoPermits) if self.make_room() => take(),
            place => place,
        };
        let place = place.map_err(|error| match error {
            TryAcquireError::NoPermits => CreateError::Full,
            TryAcquireError::Closed => CreateError::Draining,
        })?;
        let key = key.unwrap_or_else(token::new_key);
        let id = SessionId(self.next.fetch_add(1, Ordering::Relaxed));
        let Entry::Vacant(vacant) = self.sessions.entry(key.clone()) else {
            return Err(CreateError::Taken);
        };
        let session = Arc::new(Session::new(key, id, choice, source, place));
        vacant.insert(Arc::clone(&session));
        road::start(&session, &self.tools, &self.runtime);
        tracing::info!("session {} begins; {} running", id.0, self.len());
        Ok(session)
    }

    /// Ends the session whose owner has been gone for longest, if that is long enough: it waits for its owner, but not in
    /// the place of somebody who is here.
    fn make_room(&self) -> bool {
        let gone = |session: Arc<Session>| Some((session.abandoned()?, session));
        let longest = self
            .all()
            .into_iter()
            .filter_map(gone)
            .max_by_key(|(time, _)| *time);
        match longest {
            Some((time, session)) if time >= GONE => {
                self.end(&session, EndReason::Idle);
                true
            }
            _ => false,
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
        tracing::info!(
            "session {} ends ({reason:?}); {} running",
            session.id.0,
            self.len()
        );
    }

    /// Ends all sessions and takes no more.
    pub fn drain(&self) {
        self.places.close();
        self.all()
            .iter()
            .for_each(|session| self.end(session, EndReason::Draining));
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
