//! What a session has done: counters, rates over the last second, times per stage.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use limn_pipeline::StageTime;
use schemars::JsonSchema;
use serde::Serialize;

use super::lock;
use crate::metrics::{Fate, Metrics, Overtaken, Stage};

/// Counters that the stages raise.
pub struct Stats {
    received: AtomicU64,
    again: AtomicU64,
    painted: AtomicU64,
    flagged: AtomicU64,
    unchanged: AtomicU64,
    skipped: AtomicU64,
    refused: AtomicU64,
    encoded: AtomicU64,
    /// Set once it has ended: nothing becomes of what comes after that.
    over: Mutex<bool>,
    recent: Mutex<Recent>,
    /// The same of all sessions.
    all: Metrics,
}

/// What a session has done, as routes and events say it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    /// Pictures that came in the last second.
    pub fps_in: f64,
    /// Pictures painted in the last second.
    pub fps_painted: f64,
    /// From a picture's arrival to its JPEG.
    pub latency_ms: f64,
    /// Pictures that came.
    pub received: u64,
    /// Pictures that were taken once more, since a parameter or the row was changed.
    pub again: u64,
    /// Pictures painted.
    pub painted: u64,
    /// Of those, pictures that the safety checker flagged, and that left blurred.
    pub flagged: u64,
    /// Pictures not painted, since nothing differed from the one before.
    pub unchanged: u64,
    /// Pictures that a newer one overtook.
    pub skipped: u64,
    /// Pictures and steps that were refused.
    pub refused: u64,
    /// Pictures compressed for viewers.
    pub encoded: u64,
    /// Who watches.
    pub viewers: usize,
    /// Milliseconds of each stage.
    pub stages: BTreeMap<String, f64>,
}

#[derive(Default)]
struct Recent {
    since: Option<(Instant, u64, u64)>,
    fps_in: f64,
    fps_painted: f64,
    latency_ms: f64,
    stages: BTreeMap<String, f64>,
}

/// Weight of the newest sample in the times that are shown: about the last ten frames count.
const NEWEST: f64 = 0.2;

impl Stats {
    /// Nothing yet; all is counted in `all` as well.
    pub fn new(all: Metrics) -> Self {
        Self {
            received: AtomicU64::default(),
            again: AtomicU64::default(),
            painted: AtomicU64::default(),
            flagged: AtomicU64::default(),
            unchanged: AtomicU64::default(),
            skipped: AtomicU64::default(),
            refused: AtomicU64::default(),
            encoded: AtomicU64::default(),
            over: Mutex::default(),
            recent: Mutex::default(),
            all,
        }
    }

    /// A picture came; false once the session has ended, and then it is counted nowhere.
    pub(super) fn received(&self) -> bool {
        // Held while it is counted, so that what ends the session counts it as well.
        let over = lock(&self.over);
        if *over {
            return false;
        }
        self.received.fetch_add(1, Ordering::Relaxed);
        self.all.frame("received");
        true
    }

    /// A picture is taken once more, though none came.
    pub(super) fn again(&self) {
        self.again.fetch_add(1, Ordering::Relaxed);
        self.all.frame("again");
    }

    /// The session has ended: what was on its way comes nowhere any more. With it each frame has one fate, and the fates
    /// of a server without sessions are as many as its frames.
    pub(super) fn withdrawn(&self) {
        let mut over = lock(&self.over);
        *over = true;
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let ways = [&self.painted, &self.unchanged, &self.skipped, &self.refused];
        let known: u64 = ways.into_iter().map(count).sum();
        let frames = count(&self.received) + count(&self.again);
        let fate = Fate { fate: "withdrawn" };
        let withdrawn = self.all.frames.get_or_create(&fate);
        withdrawn.inc_by(frames.saturating_sub(known));
    }

    pub(super) fn painted(&self) {
        self.painted.fetch_add(1, Ordering::Relaxed);
        self.all.frame("painted");
    }

    pub(super) fn flagged(&self) {
        self.flagged.fetch_add(1, Ordering::Relaxed);
        self.all.frame("flagged");
    }

    pub(super) fn unchanged(&self) {
        self.unchanged.fetch_add(1, Ordering::Relaxed);
        self.all.frame("unchanged");
    }

    /// So many frames were overtaken before that stage.
    pub(super) fn skipped(&self, frames: u64, before: &'static str) {
        if frames > 0 {
            self.skipped.fetch_add(frames, Ordering::Relaxed);
            let overtaken = self.all.overtaken.get_or_create(&Overtaken { before });
            overtaken.inc_by(frames);
        }
    }

    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        self.all.frame("refused");
    }

    pub(super) fn encoded(&self) {
        self.encoded.fetch_add(1, Ordering::Relaxed);
        self.all.frame("encoded");
    }

    pub(super) fn stages<'a>(&self, times: impl IntoIterator<Item = &'a StageTime>) {
        let mut recent = lock(&self.recent);
        for time in times {
            let shown = recent
                .stages
                .entry(time.stage.to_string())
                .or_insert(time.millis);
            *shown += NEWEST * (time.millis - *shown);
            let stage = time.stage.clone();
            let times = self.all.stages.get_or_create(&Stage { stage });
            times.observe(time.millis / 1000.0);
        }
    }

    pub(super) fn latency(&self, millis: f64) {
        // The clock may have been set back meanwhile.
        let millis = millis.max(0.0);
        self.all.latency.observe(millis / 1000.0);
        let mut recent = lock(&self.recent);
        recent.latency_ms += if recent.latency_ms == 0.0 {
            millis
        } else {
            NEWEST * (millis - recent.latency_ms)
        };
    }

    /// How many frames were compressed; a test holds it against the number of viewers.
    pub fn encodings(&self) -> u64 {
        self.encoded.load(Ordering::Relaxed)
    }

    /// Milliseconds that one paint takes now, waiting for its turn included; `None` before the first.
    pub fn paint_millis(&self) -> Option<f64> {
        lock(&self.recent).stages.get("paint").copied()
    }

    /// Works out the rates; called once a second.
    pub(super) fn tick(&self, now: Instant) {
        let (received, painted) = (
            self.received.load(Ordering::Relaxed),
            self.painted.load(Ordering::Relaxed),
        );
        let mut recent = lock(&self.recent);
        if let Some((then, received_then, painted_then)) =
            recent.since.replace((now, received, painted))
        {
            let seconds = now.duration_since(then).as_secs_f64().max(0.001);
            recent.fps_in = (received - received_then) as f64 / seconds;
            recent.fps_painted = (painted - painted_then) as f64 / seconds;
        }
    }

    /// The numbers for people and for scripts.
    pub fn report(&self, viewers: usize) -> Report {
        let recent = lock(&self.recent);
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let round = |value: f64| (value * 100.0).round() / 100.0;
        let stages = recent.stages.iter();
        Report {
            fps_in: round(recent.fps_in),
            fps_painted: round(recent.fps_painted),
            latency_ms: round(recent.latency_ms),
            received: count(&self.received),
            again: count(&self.again),
            painted: count(&self.painted),
            flagged: count(&self.flagged),
            unchanged: count(&self.unchanged),
            skipped: count(&self.skipped),
            refused: count(&self.refused),
            encoded: count(&self.encoded),
            viewers,
            stages: stages
                .map(|(stage, millis)| (stage.clone(), round(*millis)))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_before_the_end_is_withdrawn_and_what_comes_after_it_is_no_frame() {
        let all = Metrics::default();
        let stats = Stats::new(all.clone());
        assert!(stats.received() && stats.received());
        stats.painted();
        stats.withdrawn();
        assert!(!stats.received());
        let count = |fate| all.frames.get_or_create_owned(&Fate { fate }).get();
        assert_eq!(
            ["received", "painted", "withdrawn"].map(count),
            [2, 1, 1],
            "each frame has one fate"
        );
    }
}
