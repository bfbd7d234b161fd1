//! What is on air: one screen with addresses that never change while sessions come and go.
//!
//! The pinned session; else, by `--follow`, the newest live one, or the newest live one whose owner agreed; else a placard.

pub mod config;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use limn_pipeline::Size;
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::cell::Feed;
use crate::fanout::placard::Placard;
use crate::ingest::fit::letterbox;
use crate::lock::lock;
use crate::picture::Shown;
use crate::pool::Pool;
use crate::screen::{self, Screen};
use crate::session::Session;
use crate::session::event::Event;
use crate::session::store::Store;
use config::{Follow, Format, ProgramConfig};

/// How often it is asked whose turn it is; a cut by hand is made at once.
const LOOK: Duration = Duration::from_millis(100);

/// The size of the placard where the program has none of its own.
const OFF_AIR: Size = Size::new(1280, 720);

/// What is on air.
pub struct Program {
    screen: Screen,
    follow: Follow,
    format: Option<Format>,
    pinned: Mutex<Option<String>>,
    /// Rung by a cut.
    cut: Notify,
    on_air: watch::Sender<Option<String>>,
    ended: CancellationToken,
}

/// What the loops work with.
struct Desk {
    program: Arc<Program>,
    store: Arc<Store>,
    pool: Pool,
    /// Who is on air, and what it shows.
    source: Option<(Arc<Session>, Feed<Shown>)>,
    /// Whether the placard is up because nobody is.
    off_air: bool,
    /// What it showed last.
    shown: Option<Shown>,
}

impl Program {
    /// Begins to follow the sessions of `store`; `quality` is the server's JPEG quality.
    pub fn start(
        config: &ProgramConfig,
        loopback: bool,
        store: &Arc<Store>,
        pool: Pool,
        quality: u8,
    ) -> Arc<Self> {
        // Nobody is published unasked where others than its owner could look.
        let careful = if loopback {
            Follow::Newest
        } else {
            Follow::Consented
        };
        let program = Arc::new(Self {
            screen: Screen::default(),
            follow: config.follow.unwrap_or(careful),
            format: config.program,
            pinned: Mutex::default(),
            cut: Notify::new(),
            on_air: watch::Sender::new(None),
            ended: CancellationToken::new(),
        });
        let desk = Desk {
            program: Arc::clone(&program),
            store: Arc::clone(store),
            pool: pool.clone(),
            source: None,
            off_air: false,
            shown: None,
        };
        let (on, ended) = (Arc::clone(&program), program.ended.clone());
        tokio::spawn(async move {
            let loops = async {
                tokio::join!(
                    desk.run(),
                    screen::compress(&on.screen, &pool, quality, |_, _| {})
                );
            };
            ended.run_until_cancelled(loops).await;
            let size = on.size();
            screen::say_goodbye(&on.screen, &pool, quality, Placard::Draining, size).await;
        });
        program
    }

    /// What its viewers see.
    pub fn screen(&self) -> &Screen {
        &self.screen
    }

    /// Puts a session on air until it ends; `None` lets `--follow` choose.
    pub fn pin(&self, session: Option<&Session>) {
        *self.pinned() = session.map(|session| session.key.clone());
        self.cut.notify_one();
    }

    /// The session on air, now and whenever that changes.
    pub fn on_air(&self) -> watch::Receiver<Option<String>> {
        self.on_air.subscribe()
    }

    /// What `GET /api/program` answers.
    pub fn json(&self) -> Value {
        let size = self.size();
        json!({
            "session": *self.on_air.borrow(),
            "pinned": *self.pinned(),
            "follow": match self.follow { Follow::Newest => "newest", Follow::Consented => "consented" },
            "width": size.width, "height": size.height, "fps": self.format.map(|format| format.fps),
            "viewers": self.screen.viewers(),
            "urls": {"stream": "/stream.mjpeg", "snapshot": "/snapshot.jpg"},
        })
    }

    /// Ends its streams with a word.
    pub fn stop(&self) {
        self.ended.cancel();
    }

    /// Resolves when it has ended.
    pub fn end_signal(&self) -> impl Future<Output = ()> + use<> {
        self.ended.clone().cancelled_owned()
    }

    /// Its own size, or that of what it shows.
    fn size(&self) -> Size {
        let shown = || self.screen.raw().latest();
        self.format
            .map(|format| format.size)
            .unwrap_or_else(|| shown().map_or(OFF_AIR, |shown| shown.frame.size()))
    }

    fn pinned(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        lock(&self.pinned)
    }

    fn choose(&self, store: &Store) -> Option<Arc<Session>> {
        let mut pinned = self.pinned();
        let found = pinned.as_deref().and_then(|key| store.find(key));
        if found.is_some() {
            return found;
        }
        // It has ended, and its name may never mean anything again.
        *pinned = None;
        let may = |session: &Arc<Session>| self.follow == Follow::Newest || session.agrees();
        store
            .all()
            .into_iter()
            .rfind(|session| session.is_live() && may(session))
    }
}

impl Desk {
    async fn run(mut self) {
        let mut looks = every(LOOK);
        let mut paces = self
            .program
            .format
            .map(|format| every(Duration::from_secs_f64(1.0 / format.fps)));
        loop {
            let feed = self.source.as_mut().map(|(_, feed)| feed);
            tokio::select! {
                biased;
                () = pace(&mut paces) => self.show_paced().await,
                shown = next(feed) => match shown {
                    Some(shown) => self.take(shown),
                    None => {
                        self.source = None;
                        self.look();
                    }
                },
                () = self.program.cut.notified() => self.look(),
                _ = looks.tick() => self.look(),
            }
        }
    }

    /// Follows another session, if another is to be on air.
    fn look(&mut self) {
        let chosen = self.program.choose(&self.store);
        let (old, new) = (
            self.source.as_ref().map(|(session, _)| session.id),
            chosen.as_ref().map(|session| session.id),
        );
        if old == new && (new.is_some() || self.off_air) {
            return;
        }
        self.off_air = new.is_none();
        if let Some((session, _)) = self.source.take() {
            session.say(Event::OnAir { on_air: false });
        }
        let name = chosen.as_ref().map(|session| session.key.clone());
        match chosen {
            Some(session) => {
                session.say(Event::OnAir { on_air: true });
                let feed = session.screen().raw().feed();
                self.source = Some((session, feed));
            }
            None => {
                let frame = Placard::OffAir.render(self.program.size());
                self.take(Shown::new(frame, Some(Placard::OffAir.name())));
            }
        }
        self.program.on_air.send_if_modified(|there| {
            let changed = *there != name;
            *there = name;
            changed
        });
    }

    fn take(&mut self, shown: Shown) {
        // The end of a session is not the end of the program.
        if shown.placard.is_some_and(Placard::is_last_word) {
            return;
        }
        if self.program.format.is_none() {
            self.program.screen.pass_on(shown.clone());
        }
        self.shown = Some(shown);
    }

    /// At each beat what is on air then; what has not changed since the last is neither scaled nor compressed again.
    async fn show_paced(&mut self) {
        let (Some(format), Some(shown)) = (self.program.format, self.shown.clone()) else {
            return;
        };
        if shown.frame.size() == format.size {
            return self.program.screen.pass_on(shown);
        }
        let frame = shown.frame.clone();
        let Some(frame) = self.pool.run(move || letterbox(&frame, format.size)).await else {
            return;
        };
        let fitted = shown.with(frame);
        self.shown = Some(fitted.clone());
        self.program.screen.pass_on(fitted);
    }
}

fn every(interval: Duration) -> Interval {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks
}

async fn pace(paces: &mut Option<Interval>) {
    match paces {
        Some(paces) => drop(paces.tick().await),
        None => std::future::pending().await,
    }
}

async fn next(feed: Option<&mut Feed<Shown>>) -> Option<Shown> {
    match feed {
        Some(feed) => feed.next().await,
        None => std::future::pending().await,
    }
}
