//! A session whose pictures come from a source that the server reads, and not from its owner.

use super::Session;
use crate::ingest::source::{Source, State};

/// Hands the session each picture that it has time for, until the source is gone.
pub(super) async fn subscribe(session: &Session, source: Option<&Source>) {
    let Some(source) = source else { return };
    let (mut frames, mut state) = (source.frames(), source.state());
    state.mark_changed();
    loop {
        tokio::select! {
            frame = frames.next() => match frame {
                Some(frame) => session.take(frame),
                None => return,
            },
            changed = state.changed() => {
                if changed.is_err() {
                    return;
                }
                let broken = matches!(*state.borrow_and_update(), State::Reconnecting(_));
                session.condition.reconnecting(broken);
            }
        }
    }
}
