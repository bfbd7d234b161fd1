//! The line of those who wait for a place, in the order in which they came.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::lock;

/// Whoever has not asked again for so long waits no more.
const PATIENCE: Duration = Duration::from_secs(15);

/// Whoever comes when so many wait is not written down.
const LONGEST: usize = 1000;

struct Waiting {
    ticket: String,
    from: Option<IpAddr>,
    asked: Instant,
}

/// See the module.
#[derive(Default)]
pub struct Line(Mutex<VecDeque<Waiting>>);

impl Line {
    /// Whether `ticket` may have one of `free` places; if not, its place in the line, counted from 1. Of one address no more
    /// than `most` tickets are written down, any number if that is 0, or where addresses do not count.
    ///
    /// # Errors
    /// That place.
    pub fn ask(
        &self,
        ticket: &str,
        from: Option<IpAddr>,
        most: usize,
        free: usize,
        now: Instant,
    ) -> Result<(), usize> {
        let mut waiting = lock(&self.0);
        waiting.retain(|other| {
            other.ticket == ticket || now.saturating_duration_since(other.asked) < PATIENCE
        });
        let at = waiting.iter().position(|other| other.ticket == ticket);
        let ahead = at.unwrap_or(waiting.len());
        if ahead < free {
            if let Some(at) = at {
                waiting.remove(at);
            }
            return Ok(());
        }
        match at {
            Some(at) => waiting[at].asked = now,
            None => {
                let limited = most > 0 && from.is_some();
                let theirs = waiting.iter().filter(|other| other.from == from).count();
                if waiting.len() < LONGEST && !(limited && theirs >= most) {
                    waiting.push_back(Waiting {
                        ticket: ticket.to_owned(),
                        from,
                        asked: now,
                    });
                }
            }
        }
        Err(ahead + 1)
    }

    /// How many wait.
    pub fn len(&self, now: Instant) -> usize {
        let waiting = lock(&self.0);
        let here = |one: &&Waiting| now.saturating_duration_since(one.asked) < PATIENCE;
        waiting.iter().filter(here).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_came_first_goes_first() {
        let line = Line::default();
        let now = Instant::now();
        assert_eq!(line.ask("a", None, 0, 1, now), Ok(()));
        assert_eq!(line.ask("b", None, 0, 0, now), Err(1));
        assert_eq!(line.ask("c", None, 0, 0, now), Err(2));
        assert_eq!(line.ask("c", None, 0, 1, now), Err(2));
        assert_eq!(line.ask("d", None, 0, 1, now), Err(3));
        assert_eq!(line.ask("b", None, 0, 1, now), Ok(()));
        assert_eq!(line.ask("c", None, 0, 1, now), Ok(()));
    }

    #[test]
    fn who_does_not_ask_again_is_forgotten() {
        let line = Line::default();
        let now = Instant::now();
        assert_eq!(line.ask("gone", None, 0, 0, now), Err(1));
        assert_eq!(line.len(now), 1);
        let later = now + PATIENCE;
        assert_eq!(line.len(later), 0);
        assert_eq!(line.ask("here", None, 0, 1, later), Ok(()));
    }

    #[test]
    fn one_address_does_not_have_the_line_to_itself() {
        let line = Line::default();
        let now = Instant::now();
        let [here, there] =
            [[192, 0, 2, 1], [192, 0, 2, 2]].map(|octets| Some(IpAddr::from(octets)));
        let ask = |ticket: &str, from| line.ask(ticket, from, 2, 0, now);
        assert_eq!((ask("a", here), ask("b", here)), (Err(1), Err(2)));
        // It is told where it would be, and is not there.
        assert_eq!((ask("c", here), ask("d", here)), (Err(3), Err(3)));
        assert_eq!((ask("e", there), ask("b", here)), (Err(3), Err(2)));
        let local = None;
        assert_eq!(
            [ask("f", local), ask("g", local), ask("h", local)],
            [Err(4), Err(5), Err(6)]
        );
    }
}
