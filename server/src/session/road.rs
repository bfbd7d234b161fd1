//! One session's road: loops, each cell in, work, cell out.
//!
//! ```text
//!  inlet ═► prepare (CPU pool) ═► paint (device thread or CPU pool) ═► encode (CPU pool, if watched) ═► viewers
//! ```

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use limn_pipeline::{Input, Output, ParamSet, PipelineError, Prepared, StageTime, Timestamp};

use tokio::sync::watch;
use tracing::Instrument;

use super::Session;
use super::attend::{attend, say_goodbye};
use super::event::Event;
use super::hidden;
use super::mirror::mirror;
use super::painter::Painter;
use super::subscription::subscribe;
use crate::cell::{Feed, Inlet};
use crate::fanout::ndi::Mirrors;
use crate::fanout::placard::Placard;
use crate::inference::Inference;
use crate::ingest::{self, IngestConfig, Upload};
use crate::listing::Choice;
use crate::metrics::Metrics;
use crate::picture::Shown;
use crate::pool::Pool;
use crate::refusal::Refusal;
use crate::screen;

/// What the loops work with.
#[derive(Clone)]
pub struct Tools {
    /// The device.
    pub inference: Inference,
    /// The CPU.
    pub pool: Pool,
    /// What is done to pictures that come in.
    pub ingest: Arc<IngestConfig>,
    /// The least time between two frames that are taken.
    pub frame_gap: Duration,
    /// What is done to pictures that leave.
    pub jpeg_quality: u8,
    /// Every so many-th frame is written down; 0 for none.
    pub log_frames: u64,
    /// What is counted.
    pub metrics: Metrics,
    /// What sessions are as NDI sources, if the operator named one.
    pub mirrors: Option<Arc<Mirrors>>,
}

/// A frame that is ready for its turn.
#[derive(Clone)]
pub(super) struct Turn {
    pub(super) choice: Choice,
    /// See [`super::steering::Steering::choices`].
    pub(super) choices: u64,
    pub(super) params: ParamSet,
    pub(super) prepared: Prepared,
    sequence: u64,
    captured: Timestamp,
}

/// Starts the loops; they stop when the session ends.
pub fn start(session: &Arc<Session>, tools: &Tools, runtime: &tokio::runtime::Handle) {
    let ready = Inlet::default();
    let turns = ready.feed();
    let (busy, painter) = watch::channel(false);
    let (ended, id, inference) = (session.ended.clone(), session.id, tools.inference.clone());
    let loops = {
        let (session, tools) = (Arc::clone(session), tools.clone());
        async move {
            tokio::join!(
                prepare(&session, &tools, ready, painter),
                paint(&session, &tools, turns, busy),
                compress(&session, &tools),
                attend(&session, &tools),
                mirror(&session, &tools),
                subscribe(&session, session.source.as_deref())
            );
        }
    };
    let (session, tools) = (Arc::clone(session), tools.clone());
    let span = tracing::info_span!("session", id = id.0);
    let whole = async move {
        ended.run_until_cancelled_owned(loops).await;
        // Only now can no further frame of this session reach the device.
        inference.close(id);
        session.stats.withdrawn();
        say_goodbye(&session, &tools).await;
    };
    runtime.spawn(whole.instrument(span));
}

async fn prepare(
    session: &Session,
    tools: &Tools,
    ready: Inlet<Turn>,
    mut painter: watch::Receiver<bool>,
) {
    let mut uploads = session.inlet.feed();
    let skipped = uploads.skipped();
    let mut last: Option<Upload> = None;
    let mut pace = tokio::time::interval(tools.frame_gap);
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        // More than may be taken in a second is overtaken, like what comes too fast to be painted.
        pace.tick().await;
        let (upload, came) = tokio::select! {
            upload = uploads.next() => (upload, true),
            // New words for a picture that stands still: it is painted anew, as if it had come again.
            () = changed(session, &mut painter) => (Some(again(session, last.as_ref())), false),
            () = session.chosen.notified() => (Some(again(session, last.as_ref())), false),
        };
        let Some(upload) = upload else { return };
        last = Some(upload.clone());
        // The queue of parameters is drained here, whole, once per frame.
        let (choice, choices, params) = {
            let steering = session.steering();
            let choice = steering.choice().clone();
            (choice, steering.choices(), steering.ahead().clone())
        };
        if upload.picture.is_none() && choice.input() == Input::Image {
            if came {
                // A beat from whoever does not know yet that another row was chosen.
                session.stats.unchanged();
            }
            continue;
        }
        if !came {
            session.stats.again();
        }
        let Upload {
            picture,
            sequence,
            captured,
        } = upload;
        let picture = if choice.input() == Input::Text {
            None
        } else {
            picture
        };
        let (ingest, set) = (Arc::clone(&tools.ingest), params.clone());
        let (prepare, reads_pixels) = (choice.entry.prepare, choice.entry.reads_pixels);
        let start = Instant::now();
        let work = move || -> Result<Prepared, Refusal> {
            let frame = picture
                .map(|content| ingest::take(&content, set.size(), reads_pixels, &ingest))
                .transpose()?;
            let frame = frame.map(|mut frame| {
                (frame.sequence, frame.captured) = (sequence, captured);
                frame
            });
            Ok(prepare(frame, &set)?)
        };
        let prepared = tools.pool.run(work).await;
        session.stats.stages([&stage("prepare", start)]);
        session
            .stats
            .skipped(skipped.swap(0, Ordering::Relaxed), "prepare");
        match prepared {
            Some(Ok(prepared)) => ready.set(Turn {
                choice,
                choices,
                params,
                prepared,
                sequence,
                captured,
            }),
            Some(Err(refusal)) => refuse(session, refusal),
            None => refuse(
                session,
                Refusal::from(&PipelineError::failed(
                    choice.entry.info.id,
                    "preparing a frame panicked",
                )),
            ),
        }
    }
}

/// Waits for a change, and then until the painter has nothing to do: a picture that comes before carries the change as well.
async fn changed(session: &Session, painter: &mut watch::Receiver<bool>) {
    session.changed.notified().await;
    // The painter is gone only when all of the road is.
    let _ = painter.wait_for(|busy| !busy).await;
}

/// The last picture once more, as a new frame.
fn again(session: &Session, last: Option<&Upload>) -> Upload {
    let sequence = session.sequence.fetch_add(1, Ordering::Relaxed) + 1;
    Upload {
        picture: last.and_then(|upload| upload.picture.clone()),
        sequence,
        captured: Timestamp::now(),
    }
}

async fn paint(session: &Session, tools: &Tools, mut turns: Feed<Turn>, busy: watch::Sender<bool>) {
    let mut painter = Painter::default();
    let mut last: Option<Turn> = None;
    let mut complained = None;
    let mut newer: Option<Turn> = None;
    let skipped = turns.skipped();
    loop {
        let turn = match newer.take() {
            Some(turn) => Some(turn),
            None => {
                busy.send_replace(false);
                turns.next().await
            }
        };
        let Some(turn) = turn else { return };
        let overtaken = skipped.swap(0, Ordering::Relaxed);
        session.stats.skipped(overtaken, "paint");
        busy.send_replace(true);
        let same = last.as_ref().is_some_and(|last| {
            last.choice.row.id == turn.choice.row.id
                && last.params == turn.params
                && last.prepared.same_pictures(&turn.prepared)
        });
        if same {
            session.stats.unchanged();
            continue;
        }
        let start = Instant::now();
        let painted = {
            let mut painting = pin!(painter.paint(session, tools, &turn));
            loop {
                tokio::select! {
                    painted = &mut painting => break painted,
                    Some(next) = turns.next() => {
                        let other = next.choice.row.id != turn.choice.row.id;
                        let overtaken = u64::from(newer.replace(next).is_some());
                        let overtaken = overtaken + skipped.swap(0, Ordering::Relaxed);
                        session.stats.skipped(overtaken, "paint");
                        // Another row was chosen: nobody waits for this one any more, least of all for its loading.
                        if other {
                            break Err(PipelineError::Cancelled);
                        }
                    }
                }
            }
        };
        match painted {
            Ok(Output {
                mut frame,
                report,
                stages,
                flagged,
            }) => {
                if flagged {
                    frame = hidden::lettered(frame, &tools.pool).await;
                }
                (frame.sequence, frame.captured) = (turn.sequence, turn.captured);
                // Counted once it can be seen.
                session.screen.show(frame, None);
                session.stats.painted();
                if flagged {
                    session.stats.flagged();
                }
                if tools.log_frames > 0 && turn.sequence % tools.log_frames == 0 {
                    note(&turn, &stages, start);
                }
                session
                    .stats
                    .stages(stages.iter().chain([&stage("paint", start)]));
                if let Some(report) = report {
                    session.say(Event::Report(report));
                }
                session.condition.fault(false);
                (last, complained) = (Some(turn), None);
            }
            // Not the frame's fault: it, or a newer one, is painted when the device is back.
            Err(PipelineError::DeviceLost { under_it, .. }) => {
                last = None;
                let pause = painter.lose(under_it);
                let _waiting = session.condition.wait_for(Placard::Recovering);
                // Other parameters may do better.
                busy.send_replace(false);
                let end = tokio::time::Instant::now() + pause;
                let (row, params) = (turn.choice.row.id, turn.params.clone());
                let same = |turn: &Turn| turn.choice.row.id == row && turn.params == params;
                session.stats.skipped(u64::from(newer.is_some()), "paint");
                newer.get_or_insert(turn);
                while newer.as_ref().is_some_and(same) {
                    tokio::select! {
                        next = turns.next() => {
                            newer = next;
                            session.stats.skipped(1, "paint");
                        }
                        () = tokio::time::sleep_until(end) => break,
                    }
                }
            }
            Err(PipelineError::Cancelled) => session.stats.skipped(1, "paint"),
            Err(error) => {
                // A fault that comes with every frame is said once, until a frame succeeds or a row is chosen.
                session.condition.fault(is_a_fault(&error));
                let complaint = Some((turn.choices, error.to_string()));
                session.stats.refused();
                if complained != complaint {
                    tracing::warn!("{error}");
                    session.say(Event::Refused(Refusal::from(&error)));
                    complained = complaint;
                }
                last = None;
            }
        }
    }
}

async fn compress(session: &Session, tools: &Tools) {
    let encoded = |shown: &Shown, start| {
        session.stats.encoded();
        session.stats.stages([&stage("encode_jpeg", start)]);
        let captured = shown.frame.captured;
        session
            .stats
            .latency(Timestamp::now().millis_since(captured));
    };
    screen::compress(&session.screen, &tools.pool, tools.jpeg_quality, encoded).await;
}

/// One frame of many, for the log.
fn note(turn: &Turn, stages: &[StageTime], start: Instant) {
    let stages = stages.iter();
    let stages: Vec<_> = stages
        .map(|stage| format!("{} {:.1}", stage.stage, stage.millis))
        .collect();
    tracing::info!(
        row = turn.choice.row.id,
        frame = turn.sequence,
        paint_ms = start.elapsed().as_secs_f64() * 1000.0,
        age_ms = Timestamp::now().millis_since(turn.captured),
        stages = stages.join(", "),
        "painted"
    );
}

/// What a viewer is told of; whatever the session's owner asked for is told the owner.
fn is_a_fault(error: &PipelineError) -> bool {
    matches!(
        error,
        PipelineError::Failed { .. }
            | PipelineError::Panicked { .. }
            | PipelineError::OutOfMemory { .. }
    )
}

fn refuse(session: &Session, refusal: Refusal) {
    session.stats.refused();
    session.say(Event::Refused(refusal));
}

fn stage(name: &'static str, start: Instant) -> StageTime {
    StageTime {
        stage: name.into(),
        millis: start.elapsed().as_secs_f64() * 1000.0,
    }
}
