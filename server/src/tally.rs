//! How much each of many has at a time, where each may have only so much.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::{Arc, Mutex};

use crate::lock::lock;

/// Who has how much; whoever has nothing is not written down.
pub struct Tally<K>(Arc<Mutex<HashMap<K, usize>>>);

/// One of what its holder may have; given back when it is dropped.
#[must_use]
pub struct Share<K: Eq + Hash + Clone> {
    tally: Tally<K>,
    holder: K,
}

impl<K: Eq + Hash + Clone> Tally<K> {
    /// One more for `holder`; `None` if it has `most` already.
    pub fn take(&self, holder: K, most: usize) -> Option<Share<K>> {
        let mut counts = lock(&self.0);
        match counts.entry(holder.clone()) {
            Entry::Occupied(count) if *count.get() >= most => return None,
            count => *count.or_insert(0) += 1,
        }
        Some(Share {
            tally: self.clone(),
            holder,
        })
    }
}

impl<K: Eq + Hash + Clone> Drop for Share<K> {
    fn drop(&mut self) {
        let mut counts = lock(&self.tally.0);
        if let Some(count) = counts.get_mut(&self.holder) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.holder);
            }
        }
    }
}

impl<K> Clone for Tally<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_share_and_nobody_who_has_left_is_remembered() {
        let tally = Tally::default();
        let (one, two) = (tally.take('a', 2).unwrap(), tally.take('a', 2).unwrap());
        assert!(tally.take('a', 2).is_none());
        let other = tally.take('b', 2).unwrap();
        drop(one);
        let three = tally.take('a', 2).unwrap();
        assert!(tally.take('a', 2).is_none());
        drop((two, three, other));
        assert!(lock(&tally.0).is_empty());
    }
}
