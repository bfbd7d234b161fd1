//! What was counted, and what is wrong.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// More of the same says nothing new.
const MOST_COMPLAINTS: usize = 20;

#[derive(Default)]
pub struct Ledger {
    counts: Mutex<BTreeMap<String, u64>>,
    complaints: Mutex<Vec<String>>,
    /// Answers of 500 and more that were asked for, by status.
    failures: Mutex<BTreeMap<String, u64>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ledger {
    /// So many more of `what`.
    pub fn add(&self, what: &str, more: u64) {
        let mut counts = lock(&self.counts);
        match counts.get_mut(what) {
            Some(count) => *count += more,
            None => {
                counts.insert(what.to_owned(), more);
            }
        }
    }

    /// One more of `what`.
    pub fn one(&self, what: &str) {
        self.add(what, 1);
    }

    /// It was so long once; the longest is kept, in milliseconds.
    pub fn most(&self, what: &str, long: Duration) {
        let millis = u64::try_from(long.as_millis()).unwrap_or(u64::MAX);
        let mut counts = lock(&self.counts);
        let most = counts.entry(what.to_owned()).or_default();
        *most = millis.max(*most);
    }

    pub fn count(&self, what: &str) -> u64 {
        lock(&self.counts).get(what).copied().unwrap_or(0)
    }

    /// All that was counted, by name.
    pub fn counts(&self) -> Vec<(String, u64)> {
        lock(&self.counts).clone().into_iter().collect()
    }

    /// Something is wrong.
    pub fn complain(&self, sentence: String) {
        let mut complaints = lock(&self.complaints);
        if complaints.len() < MOST_COMPLAINTS {
            complaints.push(sentence);
        }
    }

    pub fn complaints(&self) -> Vec<String> {
        lock(&self.complaints).clone()
    }

    /// An answer of 500 or more that was asked for.
    pub fn asked_for(&self, status: u16) {
        let mut failures = lock(&self.failures);
        *failures.entry(status.to_string()).or_default() += 1;
    }

    /// All that were asked for, by status.
    pub fn all_asked_for(&self) -> Vec<(String, u64)> {
        lock(&self.failures).clone().into_iter().collect()
    }

    /// How many answers of that status were asked for.
    pub fn were_asked_for(&self, status: &str) -> u64 {
        lock(&self.failures).get(status).copied().unwrap_or(0)
    }
}
