//! What a session shows, compressed: one loop for each rendition that somebody watches, and the placards.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use limn_pipeline::Timestamp;

use super::Session;
use super::event::EndReason;
use super::road::{Tools, stage};
use crate::cell::Inlet;
use crate::encode::{as_it_came, encode};
use crate::fanout::placard::Placard;
use crate::picture::{Picture, Rendition, Shown};

/// How often it is asked whether a placard is due.
const LOOK: Duration = Duration::from_millis(100);

/// Compresses for as long as the session lives.
pub(super) async fn compress(session: &Session, tools: &Tools) {
    let plain = fill(
        session,
        tools,
        Rendition::default(),
        session.output(),
        || false,
    );
    tokio::join!(plain, others(session, tools));
}

async fn others(session: &Session, tools: &Tools) {
    let mut loops = FuturesUnordered::new();
    loop {
        tokio::select! {
            new = session.renditions.unfilled() => {
                for (rendition, inlet) in new {
                    loops.push(async move {
                        let over = || session.renditions.forget(&inlet);
                        fill(session, tools, rendition, &inlet, over).await;
                    });
                }
            }
            Some(()) = loops.next() => {}
        }
    }
}

/// One rendition: raw cell in, JPEG cell out, while somebody reads it; until `over` says so.
async fn fill(
    session: &Session,
    tools: &Tools,
    rendition: Rendition,
    inlet: &Inlet<Picture>,
    over: impl Fn() -> bool,
) {
    let mut raw = session.raw.feed();
    let mut done = 0;
    loop {
        let shown: Option<Shown> = tokio::select! {
            shown = raw.next() => shown,
            () = inlet.joined() => session.raw.latest(),
        };
        if over() {
            return;
        }
        let Some(shown) = shown else { continue };
        if inlet.readers() == 0 || shown.serial == done {
            continue;
        }
        done = shown.serial;
        let start = Instant::now();
        // No work for the pool, so no way there and back either.
        let jpeg = match as_it_came(&shown.frame, rendition) {
            Some(jpeg) => Some(Ok(jpeg)),
            None => {
                let (frame, quality) = (shown.frame.clone(), tools.jpeg_quality);
                tools
                    .pool
                    .run(move || encode(&frame, rendition, quality))
                    .await
            }
        };
        match jpeg {
            Some(Ok(jpeg)) => {
                inlet.set(Picture::new(&shown, jpeg, inlet.latest().as_ref()));
                if shown.placard.is_none() {
                    session.stats.encoded();
                    session.stats.stages([&stage("encode_jpeg", start)]);
                    session
                        .stats
                        .latency(Timestamp::now().millis_since(shown.frame.captured));
                }
            }
            Some(Err(error)) => tracing::error!("session {}: {error}", session.id.0),
            None => tracing::error!("session {}: encoding a frame panicked", session.id.0),
        }
    }
}

/// Shows a placard where there is no picture, and the last picture again where the reason for one has passed.
pub(super) async fn attend(session: &Session, tools: &Tools) {
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        ticks.tick().await;
        let now = Instant::now();
        let wanted = session.condition.placard(session.choice().input(), now);
        let shown = session.raw.latest();
        let there = shown.as_ref().and_then(|shown| shown.placard);
        match wanted {
            // A picture that has just come is looked at first: a parameter was changed while the camera was away.
            Some(_)
                if there.is_none()
                    && shown.is_some_and(|shown| {
                        Timestamp::now().millis_since(shown.painted) < 1000.0
                    }) => {}
            Some(placard) if there != Some(placard.name()) => put_up(session, tools, placard).await,
            None if there.is_some() => session.show_again(),
            _ => {}
        }
    }
}

async fn put_up(session: &Session, tools: &Tools, placard: Placard) {
    let size = session.params().size();
    let before = session.serial.load(Ordering::Relaxed);
    if let Some(frame) = tools.pool.run(move || placard.render(size)).await {
        // A picture that came meanwhile is better.
        if session.serial.load(Ordering::Relaxed) == before {
            session.show(frame, Some(placard));
        }
    }
}

/// The last words, when the loops have stopped: for whoever still watches.
pub(super) async fn say_goodbye(session: &Session, tools: &Tools) {
    let placard = match session.end_reason() {
        Some(EndReason::Draining) => Placard::Draining,
        _ => Placard::Ended,
    };
    let mut watched: Vec<(Rendition, Arc<Inlet<Picture>>)> = session.renditions.watched();
    let plain = session.output();
    if plain.readers() == 0 && watched.is_empty() {
        return;
    }
    let (size, quality) = (session.params().size(), tools.jpeg_quality);
    let renditions: Vec<_> = std::iter::once(Rendition::default())
        .chain(watched.iter().map(|(rendition, _)| *rendition))
        .collect();
    let work = move || {
        let frame = placard.render(size);
        let jpegs: Vec<_> = renditions
            .iter()
            .map(|rendition| encode(&frame, *rendition, quality))
            .collect();
        (frame, jpegs)
    };
    let Some((frame, jpegs)) = tools.pool.run(work).await else {
        return;
    };
    let shown = session.shown(frame, Some(placard));
    let inlets = std::iter::once(plain).chain(watched.iter_mut().map(|(_, inlet)| &**inlet));
    for (inlet, jpeg) in inlets.zip(jpegs) {
        if let Ok(jpeg) = jpeg {
            inlet.set(Picture::new(&shown, jpeg, inlet.latest().as_ref()));
        }
    }
}
