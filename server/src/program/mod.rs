//! What is on air: one screen with addresses that never change while sessions come and go.
//!
//! The pinned session; else, by `--follow`, the newest live one, or the newest live one whose owner agreed; else a placard.

pub mod config;
mod desk;
mod fade;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use limn_pipeline::Size;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::fanout::placard::Placard;
use crate::lock::lock;
use crate::metrics::Sent;
use crate::pool::Pool;
use crate::screen::{self, Screen};
use crate::session::Session;
use crate::session::store::Store;
use config::{Follow, Format, ProgramConfig};
use desk::Desk;

/// No cross-fade takes longer.
pub const LONGEST_FADE: Duration = Duration::from_secs(60);

/// The size of the placard where the program has none of its own.
const OFF_AIR: Size = Size::new(1280, 720);

/// What is on air.
pub struct Program {
    screen: Screen,
    follow: Follow,
    format: Option<Format>,
    pinned: Mutex<Option<String>>,
    /// How long the next change takes; a cut takes no time.
    fade: Mutex<Duration>,
    /// Rung by a cut.
    cut: Notify,
    on_air: watch::Sender<Option<String>>,
    ended: CancellationToken,
}

/// What is on air, as a route answers it.
#[derive(Serialize, JsonSchema)]
pub struct ProgramState {
    /// The session on air.
    session: Option<String>,
    /// The session that an operator chose.
    pinned: Option<String>,
    /// Who is on air where none is chosen.
    follow: Follow,
    width: u32,
    height: u32,
    /// The rate of its own, where it has one.
    fps: Option<f64>,
    viewers: usize,
    urls: ProgramUrls,
}

#[derive(Serialize, JsonSchema)]
struct ProgramUrls {
    stream: &'static str,
    snapshot: &'static str,
}

impl Program {
    /// Begins to follow the sessions of `store`; `quality` is the server's JPEG quality.
    pub fn start(
        config: &ProgramConfig,
        loopback: bool,
        store: &Arc<Store>,
        pool: Pool,
        quality: u8,
        sent: Sent,
    ) -> Arc<Self> {
        // Nobody is published unasked where others than its owner could look.
        let careful = if loopback {
            Follow::Newest
        } else {
            Follow::Consented
        };
        let program = Arc::new(Self {
            screen: Screen::new(sent),
            follow: config.follow.unwrap_or(careful),
            format: config.program,
            pinned: Mutex::default(),
            fade: Mutex::default(),
            cut: Notify::new(),
            on_air: watch::Sender::new(None),
            ended: CancellationToken::new(),
        });
        let desk = Desk::new(&program, store, pool.clone());
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

    /// Puts a session on air until it ends, at once or by a cross-fade; `None` lets `--follow` choose.
    pub fn pin(&self, session: Option<&Session>, fade: Duration) {
        *self.pinned() = session.map(|session| session.key.clone());
        *lock(&self.fade) = fade;
        self.cut.notify_one();
    }

    /// The session on air, now and whenever that changes.
    pub fn on_air(&self) -> watch::Receiver<Option<String>> {
        self.on_air.subscribe()
    }

    /// What `GET /api/program` answers.
    pub fn state(&self) -> ProgramState {
        let size = self.size();
        ProgramState {
            session: self.on_air.borrow().clone(),
            pinned: self.pinned().clone(),
            follow: self.follow,
            width: size.width,
            height: size.height,
            fps: self.format.map(|format| format.fps),
            viewers: self.screen.viewers(),
            urls: ProgramUrls {
                stream: "/stream.mjpeg",
                snapshot: "/snapshot.jpg",
            },
        }
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
