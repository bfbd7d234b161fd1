//! Placards: what a session shows where there is no picture.

use std::time::{Duration, Instant};

use limn_pipeline::Timestamp;

use super::Session;
use super::event::EndReason;
use super::road::Tools;
use crate::fanout::placard::Placard;
use crate::screen;

/// How often it is asked whether a placard is due.
const LOOK: Duration = Duration::from_millis(100);

/// A picture that has just come is looked at first: a parameter may have been changed while the camera was away.
const LOOKED_AT_MILLIS: f64 = 1000.0;

/// Shows a placard where there is no picture, and the last picture again where the reason for one has passed.
pub(super) async fn attend(session: &Session, tools: &Tools) {
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        ticks.tick().await;
        let wanted = session
            .condition
            .placard(session.choice().input(), Instant::now());
        let shown = session.screen.raw().latest();
        let there = shown.as_ref().and_then(|shown| shown.placard);
        let fresh = there.is_none()
            && shown.is_some_and(|shown| {
                // A clock that was set back makes no picture new.
                let age = Timestamp::now().millis_since(shown.painted);
                (0.0..LOOKED_AT_MILLIS).contains(&age)
            });
        match wanted {
            Some(placard) if !fresh && there != Some(placard.name()) => {
                put_up(session, tools, placard).await;
            }
            None if there.is_some() => session.screen.show_again(),
            _ => {}
        }
    }
}

async fn put_up(session: &Session, tools: &Tools, placard: Placard) {
    let size = session.params().size();
    let before = session.screen.count();
    if let Some(frame) = tools.pool.run(move || placard.render(size)).await {
        // A picture that came meanwhile is better.
        if session.screen.count() == before {
            session.screen.show(frame, Some(placard));
        }
    }
}

/// The last words, when the loops have stopped: for whoever still watches.
pub(super) async fn say_goodbye(session: &Session, tools: &Tools) {
    let placard = match session.end_reason() {
        Some(EndReason::Draining) => Placard::Draining,
        _ => Placard::Ended,
    };
    let size = session.params().size();
    screen::say_goodbye(
        &session.screen,
        &tools.pool,
        tools.jpeg_quality,
        placard,
        size,
    )
    .await;
}
