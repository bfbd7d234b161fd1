//! A screen's pictures in each size and quality that somebody watches: one cell each, filled once per picture.

use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use super::lock;
use crate::cell::{Feed, Inlet};
use crate::picture::{Picture, Rendition};

/// The most sizes and qualities at a time beside the plain one: each costs a compression of every picture.
pub const MOST: usize = 8;

/// The cells.
#[derive(Default)]
pub struct Renditions {
    plain: Inlet<Picture>,
    others: Mutex<Vec<Cell>>,
    /// Rung when a cell is there that nobody fills yet.
    wanted: Notify,
}

struct Cell {
    rendition: Rendition,
    inlet: Arc<Inlet<Picture>>,
    filled: bool,
}

impl Renditions {
    /// As painted, in the server's quality.
    pub fn plain(&self) -> &Inlet<Picture> {
        &self.plain
    }

    /// A reader of one rendition, which is compressed from now on, if it was not; `None` if there are [`MOST`] others.
    pub fn watch(&self, rendition: Rendition) -> Option<Feed<Picture>> {
        if rendition == Rendition::default() {
            return Some(self.plain.feed());
        }
        let mut others = lock(&self.others);
        others.retain(|cell| cell.inlet.readers() > 0 || cell.rendition == rendition);
        if let Some(cell) = others.iter().find(|cell| cell.rendition == rendition) {
            return Some(cell.inlet.feed());
        }
        if others.len() == MOST {
            return None;
        }
        let inlet = Arc::new(Inlet::default());
        let feed = inlet.feed();
        others.push(Cell {
            rendition,
            inlet,
            filled: false,
        });
        self.wanted.notify_one();
        Some(feed)
    }

    /// A reader of `wanted`, or of the plain one where there are [`MOST`] others, and which it is: whoever takes all of them
    /// takes nobody the picture.
    pub fn watch_or_plain(&self, wanted: Rendition) -> (Rendition, Feed<Picture>) {
        match self.watch(wanted) {
            Some(feed) => (wanted, feed),
            None => (Rendition::default(), self.plain.feed()),
        }
    }

    /// How many read a stream, in whatever rendition.
    pub fn readers(&self) -> usize {
        let others: usize = lock(&self.others)
            .iter()
            .map(|cell| cell.inlet.readers())
            .sum();
        self.plain.readers() + others
    }

    /// Waits for cells that nobody fills yet, and answers them; whoever asks fills them.
    pub(super) async fn unfilled(&self) -> Vec<(Rendition, Arc<Inlet<Picture>>)> {
        self.wanted.notified().await;
        let mut others = lock(&self.others);
        others
            .iter_mut()
            .filter_map(|cell| {
                let new = !std::mem::replace(&mut cell.filled, true);
                new.then(|| (cell.rendition, Arc::clone(&cell.inlet)))
            })
            .collect()
    }

    /// Whether `inlet` has no reader any more; then it is forgotten, and whoever fills it may stop.
    pub(super) fn forget(&self, inlet: &Arc<Inlet<Picture>>) -> bool {
        let mut others = lock(&self.others);
        // Under the lock, so that nobody joins in between.
        let idle = inlet.readers() == 0;
        if idle {
            others.retain(|cell| !Arc::ptr_eq(&cell.inlet, inlet));
        }
        idle
    }

    /// Every cell that somebody reads.
    pub(super) fn watched(&self) -> Vec<(Rendition, Arc<Inlet<Picture>>)> {
        lock(&self.others)
            .iter()
            .filter(|cell| cell.inlet.readers() > 0)
            .map(|cell| (cell.rendition, Arc::clone(&cell.inlet)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quality(quality: u8) -> Rendition {
        Rendition {
            width: None,
            quality: Some(quality),
        }
    }

    #[tokio::test]
    async fn the_same_choice_shares_a_cell_and_only_so_many_are_open() {
        let renditions = Renditions::default();
        let feeds: Vec<_> = (1..=MOST as u8)
            .map(|q| renditions.watch(quality(q)).unwrap())
            .collect();
        let again = renditions.watch(quality(3)).unwrap();
        assert_eq!(renditions.unfilled().await.len(), MOST);
        assert!(renditions.watch(quality(50)).is_none());
        let (given, plain) = renditions.watch_or_plain(quality(50));
        assert_eq!(given, Rendition::default());
        assert_eq!(renditions.watch_or_plain(quality(3)).0, quality(3));
        assert_eq!(renditions.readers(), MOST + 2);
        drop(plain);
        // Whoever leaves makes room.
        drop((feeds, again));
        let feed = renditions.watch(quality(50)).unwrap();
        let (_, inlet) = renditions.unfilled().await.pop().unwrap();
        assert!(!renditions.forget(&inlet));
        drop(feed);
        assert!(renditions.forget(&inlet));
        assert_eq!(renditions.readers(), 0);
    }
}
