//! A cell that holds one value, the newest: the only thing that stands between two stages of the road.
//!
//! The writing end is an [`Inlet`], the reading end a [`Feed`]. A write replaces what nobody has taken yet; a reader that
//! was overtaken counts what it missed. Nothing waits in line, so nothing on the road can add delay.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Notify, watch};

/// The writing end. Dropping it ends every [`Feed`].
#[derive(Debug)]
pub struct Inlet<T> {
    sender: watch::Sender<Numbered<T>>,
    joined: Arc<Notify>,
}

/// The reading end.
#[derive(Debug)]
pub struct Feed<T> {
    receiver: watch::Receiver<Numbered<T>>,
    seen: u64,
    skipped: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Numbered<T> {
    number: u64,
    value: Option<T>,
}

impl<T: Clone> Default for Inlet<T> {
    fn default() -> Self {
        Self {
            sender: watch::Sender::new(Numbered {
                number: 0,
                value: None,
            }),
            joined: Arc::default(),
        }
    }
}

impl<T: Clone> Inlet<T> {
    /// Replaces the value and wakes the readers.
    pub fn set(&self, value: T) {
        self.sender.send_modify(|cell| {
            cell.number += 1;
            cell.value = Some(value);
        });
    }

    /// A reader that starts with the value that is there, if one is.
    pub fn feed(&self) -> Feed<T> {
        let mut receiver = self.sender.subscribe();
        receiver.mark_changed();
        self.joined.notify_one();
        Feed {
            receiver,
            seen: 0,
            skipped: Arc::default(),
        }
    }

    /// How many readers there are.
    pub fn readers(&self) -> usize {
        self.sender.receiver_count()
    }

    /// Waits until a reader joins (or has joined since the last call).
    pub async fn joined(&self) {
        self.joined.notified().await;
    }

    /// The newest value.
    pub fn latest(&self) -> Option<T> {
        self.sender.borrow().value.clone()
    }
}

impl<T: Clone> Feed<T> {
    /// The next value that this reader has not seen; `None` once the inlet is gone.
    pub async fn next(&mut self) -> Option<T> {
        loop {
            self.receiver.changed().await.ok()?;
            let cell = self.receiver.borrow_and_update();
            let Some(value) = cell.value.clone() else {
                continue;
            };
            // A reader that has just joined missed nothing: it did not want the earlier ones.
            if self.seen > 0 {
                self.skipped
                    .fetch_add(cell.number - self.seen - 1, Ordering::Relaxed);
            }
            self.seen = cell.number;
            return Some(value);
        }
    }

    /// How often this reader was overtaken. The counter outlives the feed, for whoever reports it.
    pub fn skipped(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_newest_wins_and_the_skipped_are_counted() {
        let inlet = Inlet::default();
        let mut feed = inlet.feed();
        inlet.set(1);
        assert_eq!(feed.next().await, Some(1));
        (2..=5).for_each(|value| inlet.set(value));
        assert_eq!(feed.next().await, Some(5));
        assert_eq!(feed.skipped().load(Ordering::Relaxed), 3);
        drop(inlet);
        assert_eq!(feed.next().await, None);
    }

    #[tokio::test]
    async fn a_newcomer_sees_what_is_there_and_has_skipped_nothing() {
        let inlet = Inlet::default();
        (1..=9).for_each(|value| inlet.set(value));
        let mut feed = inlet.feed();
        assert_eq!(feed.next().await, Some(9));
        assert_eq!(feed.skipped().load(Ordering::Relaxed), 0);
        assert_eq!(inlet.readers(), 1);
        drop(feed);
        assert_eq!(inlet.readers(), 0);
    }
}
