//! A session as an NDI source of its own, called as its user calls it.

use std::sync::Arc;

use super::Session;
use super::road::Tools;
use crate::lock::lock;

/// A session without a label is called by so much of its key.
const KEY_CHARS: usize = 8;

/// Sends what the session shows, under another name whenever its label changes.
pub(super) async fn mirror(session: &Session, tools: &Tools) {
    let Some(mirrors) = &tools.mirrors else {
        return;
    };
    let mut labels = session.label.subscribe();
    loop {
        let label = labels.borrow_and_update().clone();
        let key = || session.key.chars().take(KEY_CHARS).collect();
        let label = label.filter(|label| !label.trim().is_empty());
        let Some(source) = mirrors.session(&label.unwrap_or_else(key)) else {
            return;
        };
        *lock(&session.mirror) = Some(Arc::clone(&source.mirror));
        tokio::select! {
            () = source.send(session.screen.raw().feed()) => return,
            changed = labels.changed() => if changed.is_err() {
                return;
            },
        }
    }
}
