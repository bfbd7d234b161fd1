//! How many pictures may be on their way to a client by WebSocket. A socket takes more than its reader has read, and keeps what it has
//! taken in line; so each picture is followed by a ping, and once the answers come later than the way there and back explains,
//! nothing more is sent: the next picture is then the newest.

use std::collections::VecDeque;
use std::time::Duration;

use actix_ws::{Closed, Session};
use bytes::Bytes;
use tokio::time::Instant;

/// What a picture may wait in line.
const SLACK: Duration = Duration::from_millis(100);

/// The shortest way that was seen counts, and is forgotten so much with each answer: ways change.
const FORGETS: f64 = 1.01;

/// See the module.
#[derive(Default)]
pub struct Window {
    number: u64,
    /// Numbers of the pictures without an answer, and when they went.
    away: VecDeque<(u64, Instant)>,
    /// The way there and back. `None` while the client has answered no ping: one that never does gets everything.
    way: Option<Duration>,
}

impl Window {
    /// Sends a picture, and what the client answers once it has read it.
    ///
    /// # Errors
    /// If the client is gone.
    pub async fn send(&mut self, socket: &mut Session, jpeg: Bytes) -> Result<(), Closed> {
        let number = self.leaves(Instant::now());
        socket.binary(jpeg).await?;
        socket.ping(&number.to_be_bytes()).await
    }

    /// The answer to a ping. Others than ours may be among them.
    pub fn answered(&mut self, bytes: &[u8], now: Instant) {
        let Ok(number) = bytes.try_into().map(u64::from_be_bytes) else {
            return;
        };
        // Of several pings the last alone may be answered.
        while let Some(&(first, sent)) = self.away.front()
            && first <= number
        {
            self.away.pop_front();
            let way = now - sent;
            self.way = Some(self.way.map_or(way, |old| old.mul_f64(FORGETS).min(way)));
        }
    }

    /// When the next picture may be sent; `None` for at once. Asked again after each answer.
    pub fn is_open(&self, now: Instant) -> bool {
        match (self.way, self.away.front()) {
            (Some(way), Some((_, sent))) => now - *sent <= way + SLACK,
            _ => true,
        }
    }

    fn leaves(&mut self, now: Instant) -> u64 {
        self.number += 1;
        // Whoever never answers is not written down for ever.
        if self.way.is_some() || self.away.is_empty() {
            self.away.push_back((self.number, now));
        }
        self.number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn who_reads_late_is_waited_for_and_who_is_far_away_is_not() {
        let mut window = Window::default();
        let start = Instant::now();
        let at = |millis| start + MS * millis;
        // Thirty a second to a reader that is 200 ms away: six are on their way at any time.
        for beat in 0..60 {
            let now = at(beat * 33);
            assert!(window.is_open(now), "{beat}");
            window.leaves(now);
            if beat >= 7 {
                window.answered(&u64::from(beat - 6).to_be_bytes(), now);
            }
        }
        // It reads no more.
        let last = 59 * 33;
        assert!(!window.is_open(at(last + 400)));
        window.answered(&60_u64.to_be_bytes(), at(last + 2000));
        assert!(window.is_open(at(last + 2000)));
    }

    #[test]
    fn who_never_answers_gets_everything() {
        let mut window = Window::default();
        let now = Instant::now();
        for second in 0..100 {
            assert!(window.is_open(now + MS * 1000 * second));
            window.leaves(now + MS * 1000 * second);
        }
        window.answered(b"hello", now);
        assert_eq!((window.way, window.away.len()), (None, 1));
    }

    #[test]
    fn a_way_that_has_become_longer_is_learnt() {
        let mut window = Window::default();
        let start = Instant::now();
        let mut now = start;
        let mut pass = |window: &mut Window, way: Duration| {
            let number = window.leaves(now);
            now += way;
            let open = window.is_open(now);
            window.answered(&number.to_be_bytes(), now);
            open
        };
        assert!(pass(&mut window, MS * 10));
        assert!(!pass(&mut window, MS * 150));
        for _ in 0..200 {
            pass(&mut window, MS * 150);
        }
        assert!(pass(&mut window, MS * 150));
    }
}
