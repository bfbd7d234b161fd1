//! The line of those who wait for a place, in the order in which they came.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::lock;

/// Whoever has not asked again for so long waits no more.
const PATIENCE: Duration = Duration::from_secs(15);

/// Whoever comes when so many wait is not written down.
const LONGEST: usize = 1000;

/// See the module.
#[derive(Default)]
pub struct Line(Mutex<VecDeque<(String, Instant)>>);

impl Line {
    /// Whether `ticket` may have one of `free` places; if not, its place in the line, counted from 1.
    ///
    /// # Errors
    /// That place.
    pub fn ask(&self, ticket: &str, free: usize, now: Instant) -> Result<(), usize> {
        let mut waiting = lock(&self.0);
        waiting.retain(|(other, asked)| {
            other == ticket || now.saturating_duration_since(*asked) < PATIENCE
        });
        let at = waiting.iter().position(|(other, _)| other == ticket);
        let ahead = at.unwrap_or(waiting.len());
        if ahead < free {
            if let Some(at) = at {
                waiting.remove(at);
            }
            return Ok(());
        }
        match at {
            Some(at) => waiting[at].1 = now,
            None if waiting.len() < LONGEST => waiting.push_back((ticket.to_owned(), now)),
            None => {}
        }
        Err(ahead + 1)
    }

    /// How many wait.
    pub fn len(&self, now: Instant) -> usize {
        let waiting = lock(&self.0);
        let here = |asked: &Instant| now.saturating_duration_since(*asked) < PATIENCE;
        waiting.iter().filter(|(_, asked)| here(asked)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_came_first_goes_first() {
        let line = Line::default();
        let now = Instant::now();
        assert_eq!(line.ask("a", 1, now), Ok(()));
        assert_eq!(line.ask("b", 0, now), Err(1));
        assert_eq!(line.ask("c", 0, now), Err(2));
        assert_eq!(line.ask("c", 1, now), Err(2));
        assert_eq!(line.ask("d", 1, now), Err(3));
        assert_eq!(line.ask("b", 1, now), Ok(()));
        assert_eq!(line.ask("c", 1, now), Ok(()));
    }

    #[test]
    fn who_does_not_ask_again_is_forgotten() {
        let line = Line::default();
        let now = Instant::now();
        assert_eq!(line.ask("gone", 0, now), Err(1));
        assert_eq!(line.len(now), 1);
        let later = now + PATIENCE;
        assert_eq!(line.len(later), 0);
        assert_eq!(line.ask("here", 1, later), Ok(()));
    }
}
