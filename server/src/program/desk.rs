//! What the program's loop works with: it looks who is on air, takes what that session shows, and shows it at its own beat.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior};

use super::Program;
use super::config::Format;
use super::fade::{Fade, mix};
use crate::cell::Feed;
use crate::fanout::placard::Placard;
use crate::ingest::fit::letterbox;
use crate::lock::lock;
use crate::picture::Shown;
use crate::pool::Pool;
use crate::session::Session;
use crate::session::event::Event;
use crate::session::store::Store;

/// How often it is asked whose turn it is; a cut by hand is made at once.
const LOOK: Duration = Duration::from_millis(100);

/// How often a cross-fade moves, where the program has no rate of its own.
const FADE: Duration = Duration::from_millis(33);

/// What the loops work with.
pub(super) struct Desk {
    program: Arc<Program>,
    store: Arc<Store>,
    pool: Pool,
    /// Who is on air, and what it shows.
    source: Option<(Arc<Session>, Feed<Shown>)>,
    /// Whether the placard is up because nobody is.
    off_air: bool,
    /// What it showed last.
    shown: Option<Shown>,
    /// What is on its way out.
    fade: Option<Fade>,
}

impl Desk {
    pub(super) fn new(program: &Arc<Program>, store: &Arc<Store>, pool: Pool) -> Self {
        Self {
            program: Arc::clone(program),
            store: Arc::clone(store),
            pool,
            source: None,
            off_air: false,
            shown: None,
            fade: None,
        }
    }

    pub(super) async fn run(mut self) {
        let mut looks = every(LOOK);
        let mut paces = self
            .program
            .format
            .map(|format| every(Duration::from_secs_f64(1.0 / format.fps)));
        let mut fades = every(FADE);
        loop {
            let feed = self.source.as_mut().map(|(_, feed)| feed);
            let fading = self.fade.is_some() && paces.is_none();
            tokio::select! {
                biased;
                () = pace(&mut paces) => self.show().await,
                _ = fades.tick(), if fading => self.show().await,
                () = Fade::follow(&mut self.fade) => {}
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
        let length = std::mem::take(&mut *lock(&self.program.fade));
        if let Some((session, feed)) = self.source.take() {
            session.say(Event::OnAir { on_air: false });
            let shown = self.shown.as_ref().filter(|_| !length.is_zero());
            self.fade = shown.map(|shown| Fade::new(shown.frame.clone(), feed, length));
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
        if self.program.format.is_none() && self.fade.is_none() {
            self.program.screen.pass_on(shown.clone());
        }
        self.shown = Some(shown);
    }

    /// At each beat what is on air then; what has not changed since the last is neither scaled nor compressed again.
    async fn show(&mut self) {
        let Some(shown) = self.fitted().await else {
            return;
        };
        let faded = match self.fade.as_ref().map(|fade| (fade.share(), fade.frame())) {
            Some((Some(share), from)) => {
                let (from, to) = (from.clone(), shown.frame.clone());
                let mixed = self.pool.run(move || mix(&from, &to, share)).await;
                mixed.map(|frame| shown.with(frame))
            }
            over => {
                if over.is_some() {
                    self.fade = None;
                }
                None
            }
        };
        self.program.screen.pass_on(faded.unwrap_or(shown));
    }

    /// What is on air, in the program's own size if it has one.
    async fn fitted(&mut self) -> Option<Shown> {
        let shown = self.shown.clone()?;
        let Some(Format { size, .. }) = self.program.format else {
            return Some(shown);
        };
        if shown.frame.size() != size {
            let frame = shown.frame.clone();
            let fitted = self.pool.run(move || letterbox(&frame, size)).await?;
            self.shown = Some(shown.with(fitted));
        }
        self.shown.clone()
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
