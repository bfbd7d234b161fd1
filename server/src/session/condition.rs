//! How things stand with a session: what its viewers should see where there is no picture.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use limn_pipeline::Input;

use super::lock;
use crate::fanout::placard::Placard;

/// Loading that is over sooner is not worth a word.
const LONG: Duration = Duration::from_millis(300);

/// A socket that sent pictures is given so long to come back, and one that is open so long to send another.
const GONE: Duration = Duration::from_secs(1);
const SILENT: Duration = Duration::from_secs(5);

/// Facts from which a placard follows.
#[derive(Default)]
pub struct Condition(Mutex<Facts>);

#[derive(Default)]
struct Facts {
    /// Sockets over which pictures come.
    sockets: usize,
    /// When the last of them closed.
    closed: Option<Instant>,
    /// When the last picture came, and whether over a socket. Whoever posts pictures one by one owes no next one.
    picture: Option<(Instant, bool)>,
    /// What is waited for before the next frame can be painted.
    wait: Option<(Placard, Instant)>,
    /// The last frame could not be painted.
    fault: bool,
    /// The server reads the pictures itself, and cannot at the moment.
    reconnecting: bool,
}

impl Condition {
    pub(super) fn picture(&self) {
        let mut facts = lock(&self.0);
        facts.picture = Some((Instant::now(), facts.sockets > 0));
    }

    pub(super) fn opened(&self) {
        lock(&self.0).sockets += 1;
    }

    pub(super) fn closed(&self) {
        let mut facts = lock(&self.0);
        facts.sockets -= 1;
        facts.closed = Some(Instant::now());
    }

    pub(super) fn reconnecting(&self, broken: bool) {
        lock(&self.0).reconnecting = broken;
    }

    /// That is waited for, for as long as the answer lives.
    pub(super) fn wait_for(&self, placard: Placard) -> Wait<'_> {
        lock(&self.0).wait = Some((placard, Instant::now()));
        Wait(self)
    }

    /// Whether the last frame could not be painted.
    pub(super) fn fault(&self, fault: bool) {
        lock(&self.0).fault = fault;
    }

    /// What viewers should see now instead of a picture.
    pub(super) fn placard(&self, input: Input, now: Instant) -> Option<Placard> {
        let facts = lock(&self.0);
        let over = |since: Instant, limit| now.saturating_duration_since(since) >= limit;
        if let Some((placard, since)) = facts.wait {
            return over(since, LONG).then_some(placard);
        }
        if facts.fault {
            return Some(Placard::Fault);
        }
        if facts.reconnecting {
            return Some(Placard::Reconnecting);
        }
        match facts.picture {
            None => (input == Input::Image).then_some(Placard::Waiting),
            Some((last, true)) if input != Input::Text => {
                let lost = match facts.sockets {
                    0 => facts.closed.is_some_and(|closed| over(closed, GONE)),
                    _ => over(last, SILENT),
                };
                lost.then_some(Placard::Lost)
            }
            Some(_) => None,
        }
    }
}

/// See [`Condition::wait_for`].
pub(super) struct Wait<'a>(&'a Condition);

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        lock(&self.0.0).wait = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_is_waited_for_and_missed() {
        let condition = Condition::default();
        let after = |secs| Instant::now() + Duration::from_secs(secs);
        assert_eq!(
            condition.placard(Input::Image, after(0)),
            Some(Placard::Waiting)
        );
        assert_eq!(condition.placard(Input::Text, after(0)), None);
        condition.opened();
        condition.picture();
        assert_eq!(condition.placard(Input::Image, after(4)), None);
        assert_eq!(
            condition.placard(Input::Image, after(6)),
            Some(Placard::Lost)
        );
        assert_eq!(condition.placard(Input::Text, after(6)), None);
        condition.closed();
        assert_eq!(condition.placard(Input::Image, after(0)), None);
        assert_eq!(
            condition.placard(Input::Image, after(2)),
            Some(Placard::Lost)
        );
    }

    #[test]
    fn posted_pictures_stay_and_loading_is_said_when_it_takes_long() {
        let condition = Condition::default();
        condition.picture();
        let after = |millis| Instant::now() + Duration::from_millis(millis);
        assert_eq!(condition.placard(Input::Image, after(100_000)), None);
        let loading = condition.wait_for(Placard::Loading("img2img"));
        assert_eq!(condition.placard(Input::Image, after(100)), None);
        assert_eq!(
            condition.placard(Input::Image, after(500)),
            Some(Placard::Loading("img2img"))
        );
        drop(loading);
        assert_eq!(condition.placard(Input::Image, after(500)), None);
    }
}
