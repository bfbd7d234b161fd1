//! One viewer: the newest picture whenever it may have one, as fast as it takes them, and the last again when nothing comes.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use limn_pipeline::Timestamp;
use tokio::time::Instant;

use super::audience::Seat;
use super::budget::Budget;
use super::pace::Pace;
use super::placard::Placard;
use super::wire::Wire;
use crate::cell::Feed;
use crate::picture::{Picture, Rendition};

/// Nothing new for so long, and the last picture is sent once more: a reader that waits for the next part shows it
/// then, and a viewer that has gone is noticed.
const REPEAT: Duration = Duration::from_secs(1);

/// The least of the "about two intervals" after which a burst counts as over.
const SHORTEST_PAUSE: Duration = Duration::from_millis(40);

/// How long a viewer waits, once its session has ended, for the placard that says so: as long as a busy machine takes to
/// compress it. A session that has none takes its feed away at once.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// How one viewer wants its stream.
#[derive(Clone, Debug)]
pub struct View {
    /// How parts are framed.
    pub wire: Wire,
    /// Our own times in each part's headers.
    pub times: bool,
    /// Size and quality.
    pub rendition: Rendition,
    /// So many pictures a second, neither more nor fewer.
    pub fps: Option<f64>,
    /// At most so many thousands of bits a second.
    pub kbps: Option<u32>,
    /// Leave out pictures that are the same bytes as the one before.
    pub drop_same: bool,
}

/// Where a viewer gets its pictures: the feed of a rendition; `None` if there are too many, or none any more. It must not
/// keep the session alive.
pub type Supply = Box<dyn Fn(Rendition) -> Option<Feed<Picture>> + Send + Sync>;

/// One viewer.
pub struct Viewer {
    view: View,
    supply: Supply,
    feed: Feed<Picture>,
    seat: Arc<Seat>,
    ended: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// Until when a session that has ended may still say so.
    closing: Option<Instant>,
    /// Nothing comes any more.
    over: bool,
    /// Pictures with a lower serial are from before it came, or were overtaken.
    floor: u64,
    /// What waits for its time.
    held: Option<Picture>,
    last: Option<Picture>,
    /// The last times between pictures; the middle one counts, so that neither the wait before a burst nor one picture
    /// that is late says when the burst is over.
    intervals: [Duration; 3],
    arrived: Instant,
    sent: Instant,
    repeated: bool,
    pace: Option<Pace>,
    budget: Option<Budget>,
}

impl Viewer {
    /// A viewer that begins with `feed`, the supply's answer for its rendition. `floor` is the serial of what the session
    /// shows now; `ended` resolves when the session does; `plain` is the server's JPEG quality.
    pub fn new(
        view: View,
        supply: Supply,
        feed: Feed<Picture>,
        floor: u64,
        seat: Arc<Seat>,
        ended: impl Future<Output = ()> + Send + 'static,
        plain: u8,
    ) -> Self {
        let now = Instant::now();
        Self {
            pace: view.fps.map(Pace::new),
            budget: view
                .kbps
                .map(|kbps| Budget::new(kbps, view.rendition.quality, plain, now)),
            view,
            supply,
            feed,
            seat,
            ended: Box::pin(ended),
            closing: None,
            over: false,
            floor,
            held: None,
            last: None,
            intervals: [REPEAT / 2; 3],
            arrived: now,
            sent: now,
            repeated: false,
        }
    }

    /// What comes before the first part.
    pub fn preamble(&self) -> Bytes {
        self.view.wire.preamble()
    }

    /// The next part, when its time has come; `None` when the session is over.
    pub async fn next(&mut self) -> Option<Bytes> {
        let mut looked = false;
        loop {
            if self.over {
                self.held.as_ref()?;
                return self.send(Instant::now());
            }
            let now = Instant::now();
            let due = self.due(now);
            let is_due = due.is_some_and(|due| due <= now);
            // In this order: the last part may have been long on its way, and what came meanwhile goes before what would be
            // sent again. Whoever has something to send looks for something newer once, and not for as long as there is some.
            tokio::select! {
                biased;
                () = &mut self.ended, if self.closing.is_none() => self.closing = Some(now + LAST_WORDS),
                picture = self.feed.next(), if !(is_due && looked) => {
                    looked = is_due;
                    match picture {
                        Some(picture) => self.take(picture),
                        None => self.over = true,
                    }
                }
                () = until(due) => return self.send(Instant::now()),
                () = until(self.closing) => return None,
            }
        }
    }

    fn take(&mut self, picture: Picture) {
        self.seat
            .skipped(self.feed.skipped().swap(0, Ordering::Relaxed));
        if picture.serial < self.floor {
            return;
        }
        let now = Instant::now();
        let [_, older, old] = self.intervals;
        self.intervals = [older, old, now - self.arrived];
        self.arrived = now;
        let same = self
            .last
            .as_ref()
            .is_some_and(|last| last.change == picture.change);
        // Whoever counts on a rate gets every picture of it.
        if same && self.view.drop_same && self.pace.is_none() {
            return;
        }
        if let Some(budget) = &mut self.budget {
            budget.offered();
        }
        self.seat
            .skipped(u64::from(self.held.replace(picture).is_some()));
    }

    /// When the next part is due: what is held as soon as pace and budget let it; else the last picture again, at the next
    /// time of the pace, or after about two intervals and then once a second. When the session has ended, its last word and
    /// nothing else: nobody waits until it fits.
    fn due(&self, now: Instant) -> Option<Instant> {
        if self.held.as_ref().is_some_and(is_last_word) {
            return Some(now);
        }
        if self.closing.is_some() {
            return None;
        }
        let paced = self.pace.as_ref().and_then(Pace::due);
        let wanted = match (&self.held, &self.last) {
            (Some(_), _) => paced.unwrap_or(now),
            (None, Some(_)) => paced.unwrap_or(self.sent + self.pause()),
            (None, None) => return None,
        };
        Some(
            self.budget
                .as_ref()
                .map_or(wanted, |budget| wanted.max(budget.free())),
        )
    }

    fn pause(&self) -> Duration {
        if self.repeated {
            return REPEAT;
        }
        let mut sorted = self.intervals;
        sorted.sort();
        (sorted[1] * 2).clamp(SHORTEST_PAUSE, REPEAT)
    }

    fn send(&mut self, now: Instant) -> Option<Bytes> {
        self.repeated = self.held.is_none();
        let picture = self.held.take().or_else(|| self.last.take())?;
        let part = self.view.wire.part(&picture, self.view.times);
        let millis = Timestamp::now().millis_since(picture.jpeg.captured);
        let age = Duration::from_secs_f64(millis.max(0.0) / 1000.0);
        // A placard has no frame that arrived, and a picture sent again is no news.
        let age = (!self.repeated && picture.placard.is_none()).then_some(age);
        self.over |= is_last_word(&picture);
        self.floor = picture.serial;
        self.last = Some(picture);
        self.sent = now;
        self.seat.sent(part.len(), age);
        if let Some(pace) = &mut self.pace {
            pace.sent(now);
        }
        if let Some(quality) = self
            .budget
            .as_mut()
            .and_then(|budget| budget.sent(part.len(), now))
        {
            self.switch(quality);
        }
        Some(part)
    }

    /// Goes on in another quality, with what comes after the picture just sent.
    fn switch(&mut self, quality: Option<u8>) {
        let rendition = Rendition {
            quality,
            ..self.view.rendition
        };
        if let Some(feed) = (self.supply)(rendition) {
            self.feed = feed;
            self.floor += 1;
        }
    }
}

fn is_last_word(picture: &Picture) -> bool {
    picture.placard.is_some_and(Placard::is_last_word)
}

async fn until(end: Option<Instant>) {
    match end {
        // Timers are late by up to a millisecond, even for a time that has passed.
        Some(end) if end <= Instant::now() => {}
        Some(end) => tokio::time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
