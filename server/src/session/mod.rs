//! One running stream: a source, a pipeline, parameters, an output. The string on which the stages are beads.

mod allowance;
mod attend;
pub mod blocked;
pub mod condition;
pub mod config;
pub mod event;
mod hidden;
pub mod label;
pub mod lease;
mod line;
mod mirror;
mod names;
mod painter;
pub mod road;
pub mod stats;
pub mod steering;
pub mod store;
mod subscription;
pub mod token;
pub mod wish;

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use bytes::Bytes;
use limn_pipeline::{Cancel, Frame, ParamSet, SessionId, Timestamp, Unknown};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::sync::{Notify, OwnedSemaphorePermit, broadcast, watch};
use tokio_util::sync::CancellationToken;

use crate::cell::Inlet;
use crate::fanout::ndi::{Mirror, MirrorState};
use crate::ingest::source::Source;
use crate::ingest::{Content, Upload};
use crate::listing::Choice;
use crate::lock::lock;
use crate::metrics::Metrics;
use crate::refusal::Refusal;
use crate::screen::Screen;
use allowance::Allowance;
use blocked::BlockedWords;
use condition::Condition;
use config::SessionConfig;
use event::{EndReason, Event};
use label::Label;
use lease::Lease;
use stats::Stats;
use steering::Steering;
use token::Token;
use wish::Wish;

/// A session as everybody may see it, who knows its name.
#[derive(Serialize, JsonSchema)]
pub struct SessionState {
    id: String,
    label: Option<String>,
    pipeline: &'static str,
    row: &'static str,
    /// Whether its owner agrees to be on air.
    on_air: bool,
    /// It as an NDI source of its own, where it is one.
    ndi: Option<MirrorState>,
    /// Seconds since it began.
    age_secs: f64,
    stats: stats::Report,
}

/// One running stream.
pub struct Session {
    /// The name on the wire; it lets one watch and nothing else.
    pub key: String,
    /// The name on the device.
    pub id: SessionId,
    /// What steers it.
    pub control: Token,
    label: watch::Sender<Option<String>>,
    /// It as an NDI source of its own.
    mirror: Mutex<Option<Arc<Mirror>>>,
    steering: Mutex<Steering>,
    /// Rung when a parameter changed, so that a still picture is painted anew.
    changed: Notify,
    /// Rung when another row was chosen, for which nobody waits until the old one has painted.
    chosen: Notify,
    /// Where its pictures come from, if not from its owner.
    source: Option<Arc<Source>>,
    inlet: Inlet<Upload>,
    screen: Screen,
    condition: Condition,
    /// Whether its owner agrees to be on air.
    agrees: AtomicBool,
    events: broadcast::Sender<Event>,
    stats: Stats,
    sequence: AtomicU64,
    attached: AtomicBool,
    /// Since when a socket that it had is gone.
    detached: Mutex<Option<Instant>>,
    last_heard: Mutex<Instant>,
    started: Instant,
    ended: CancellationToken,
    end_reason: Mutex<Option<EndReason>>,
    cancel: Cancel,
    /// Whom it counts for among `--max-sessions-per-address`.
    from: Option<IpAddr>,
    /// How long whoever began it may go on.
    lease: Option<Lease>,
    changes: Allowance,
    blocked: Option<BlockedWords>,
    /// Its place among `--max-sessions`; given back when it ends.
    place: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Session {
    fn new(
        key: String,
        id: SessionId,
        wish: Wish,
        config: &SessionConfig,
        metrics: &Metrics,
        place: OwnedSemaphorePermit,
    ) -> Self {
        Self {
            key,
            id,
            control: Token::new(),
            label: watch::Sender::default(),
            mirror: Mutex::default(),
            steering: Mutex::new(Steering::new(wish.choice)),
            changed: Notify::new(),
            chosen: Notify::new(),
            source: wish.source,
            inlet: Inlet::default(),
            screen: Screen::new(metrics.sent.clone()),
            condition: Condition::default(),
            agrees: AtomicBool::new(false),
            events: broadcast::Sender::new(64),
            stats: Stats::new(metrics.clone()),
            sequence: AtomicU64::new(0),
            attached: AtomicBool::new(false),
            detached: Mutex::default(),
            last_heard: Mutex::new(Instant::now()),
            started: Instant::now(),
            ended: CancellationToken::new(),
            end_reason: Mutex::default(),
            cancel: Cancel::default(),
            from: wish.from,
            lease: wish.lease,
            changes: Allowance::new(config.max_changes),
            blocked: config.blocked_words.clone(),
            place: Mutex::new(Some(place)),
        }
    }

    /// Hands in a picture, or a beat without one. What nobody has taken yet is overtaken.
    pub fn upload(&self, picture: Option<Bytes>) {
        self.hand_in(picture.map(Content::File));
    }

    /// Hands in what its source read.
    fn take(&self, frame: Frame) {
        self.hand_in(Some(Content::Frame(frame)));
    }

    fn hand_in(&self, picture: Option<Content>) {
        self.heard();
        if !self.stats.received() {
            return;
        }
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed) + 1;
        if picture.is_some() {
            self.condition.picture();
        }
        self.inlet.set(Upload {
            picture,
            sequence,
            captured: Timestamp::now(),
        });
    }

    /// Puts a patch at the end of the parameter queue; it takes effect with the next frame. Answers the whole set as it
    /// will then be.
    ///
    /// # Errors
    /// If one field is refused, or changes come too fast; then nothing of the patch is taken.
    pub fn patch(&self, patch: &Map<String, Value>, unknown: Unknown) -> Result<ParamSet, Refusal> {
        self.heard();
        self.count_change()?;
        if let Some(blocked) = &self.blocked {
            blocked.check(patch)?;
        }
        let (set, changed) = self.steering().push(patch, unknown)?;
        if changed {
            self.changed.notify_one();
        }
        Ok(set)
    }

    /// Changes the pipeline while live, where parameters that fit the new one stay, or the name that people gave it, or both.
    ///
    /// # Errors
    /// If changes come too fast; then nothing of it is done.
    pub fn change(&self, choice: Option<Choice>, label: Option<Label>) -> Result<(), Refusal> {
        self.heard();
        self.count_change()?;
        if let Some(choice) = choice {
            self.steering().switch(choice);
            self.chosen.notify_one();
        }
        if let Some(label) = label {
            self.set_label(label);
        }
        Ok(())
    }

    fn count_change(&self) -> Result<(), Refusal> {
        if self.changes.take(Instant::now()) {
            return Ok(());
        }
        let most = self.changes.per_second();
        let message = format!("more than {most} changes a second came, and this one is left out");
        Err(Refusal::new("too_many_changes", message).hint("send the newest value only"))
    }

    /// The row it paints with.
    pub fn choice(&self) -> Choice {
        self.steering().choice().clone()
    }

    /// The parameters of its next frame.
    pub fn params(&self) -> ParamSet {
        self.steering().ahead().clone()
    }

    /// Gives it a name as it begins.
    pub fn set_label(&self, label: Label) {
        let label = Some(label.into_text());
        self.label.send_if_modified(|there| {
            let changed = *there != label;
            *there = label;
            changed
        });
    }

    /// The name that people gave it.
    pub fn label(&self) -> Option<String> {
        self.label.borrow().clone()
    }

    /// Claims the session for one socket; false if another holds it.
    pub fn attach(&self) -> bool {
        self.heard();
        !self.attached.swap(true, Ordering::AcqRel)
    }

    /// Lets another socket have it.
    pub fn detach(&self) {
        *lock(&self.detached) = Some(Instant::now());
        self.attached.store(false, Ordering::Release);
    }

    /// How long its owner's socket has been gone; `None` while there is one, or where there never was.
    pub fn abandoned(&self) -> Option<Duration> {
        let detached = *lock(&self.detached);
        detached
            .filter(|_| !self.is_attached())
            .map(|since| since.elapsed())
    }

    /// Whether a socket holds it.
    pub fn is_attached(&self) -> bool {
        self.attached.load(Ordering::Acquire)
    }

    /// Notes that its user is there.
    pub fn heard(&self) {
        *lock(&self.last_heard) = Instant::now();
    }

    /// A socket over which pictures come, for as long as the answer lives.
    pub fn camera(self: &Arc<Self>) -> CameraSocket {
        self.condition.opened();
        CameraSocket(Arc::clone(self))
    }

    /// What its viewers see.
    pub fn screen(&self) -> &Screen {
        &self.screen
    }

    /// Where its pictures come from, if the server reads them; for operators only.
    pub fn source(&self) -> Option<&Source> {
        self.source.as_deref()
    }

    /// Whether its owner agrees to be on air.
    pub fn agrees(&self) -> bool {
        self.agrees.load(Ordering::Relaxed)
    }

    /// The owner's switch "on air".
    pub fn agree(&self, agrees: bool) {
        self.agrees.store(agrees, Ordering::Relaxed);
    }

    /// Whether its stream shows a picture, or could if somebody watched.
    pub fn is_live(&self) -> bool {
        let shown = self.screen.raw().latest();
        shown.is_some_and(|shown| shown.placard.is_none())
    }

    /// Its events from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Says something to its user.
    pub fn say(&self, event: Event) {
        // Nobody listens: nobody needs it.
        let _ = self.events.send(event);
    }

    /// What it has done so far.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Resolves when it has ended.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// The same for whoever must not keep the session alive by waiting, as a viewer that has stopped reading would.
    pub fn end_signal(&self) -> impl Future<Output = ()> + use<> {
        self.ended.clone().cancelled_owned()
    }

    /// Why it ended; `None` while it lives.
    pub fn end_reason(&self) -> Option<EndReason> {
        *lock(&self.end_reason)
    }

    /// What `GET /api/sessions/{id}` answers: nothing that a viewer must not know.
    pub fn state(&self) -> SessionState {
        let choice = self.choice();
        SessionState {
            id: self.key.clone(),
            label: self.label(),
            pipeline: choice.entry.info.id,
            row: choice.row.id,
            on_air: self.agrees(),
            ndi: self.ndi(),
            age_secs: self.started.elapsed().as_secs_f64(),
            stats: self.stats.report(self.viewers()),
        }
    }

    /// Whom it counts for among `--max-sessions-per-address`.
    pub fn from(&self) -> Option<IpAddr> {
        self.from
    }

    /// How it stands as an NDI source, where it is one.
    pub fn ndi(&self) -> Option<MirrorState> {
        lock(&self.mirror).as_ref().map(|mirror| mirror.report())
    }

    /// How many readers its stream has.
    pub fn viewers(&self) -> usize {
        self.screen.viewers()
    }

    /// Why it should end now, if it should.
    fn overdue(&self, config: &SessionConfig) -> Option<EndReason> {
        let over = |limit: Duration, since: Instant| !limit.is_zero() && since.elapsed() >= limit;
        if over(config.timeout, self.started) {
            return Some(EndReason::Timeout);
        }
        if self.lease.as_ref().is_some_and(Lease::is_revoked) {
            return Some(EndReason::Removed);
        }
        // A source that is away comes back by itself, however long that takes.
        let idle = self.source.is_none() && over(config.idle_timeout, *lock(&self.last_heard));
        idle.then_some(EndReason::Idle)
    }

    /// Ends it: its tasks stop, its frame on the device is withdrawn, its place is free.
    fn end(&self, reason: EndReason) {
        lock(&self.end_reason).get_or_insert(reason);
        self.cancel.cancel();
        self.ended.cancel();
        lock(&self.place).take();
    }

    fn steering(&self) -> MutexGuard<'_, Steering> {
        lock(&self.steering)
    }
}

/// See [`Session::camera`].
pub struct CameraSocket(Arc<Session>);

impl Drop for CameraSocket {
    fn drop(&mut self) {
        self.0.condition.closed();
    }
}
