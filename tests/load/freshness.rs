//! How old a picture may be that a slow viewer gets: its own reading says so.
//!
//! A part's picture is chosen when all parts before it are written, and of these the kernel holds only so much: when it was
//! chosen, the viewer had read the rest. Whatever is older than that, and than the road from the camera, was not the newest.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use limn_pipeline::Timestamp;
use limn_tests::http::find;

use crate::ledger::Ledger;
use crate::parts::Part;
use crate::viewer::SLOW_BUFFER_BYTES;

/// What the kernel may hold on the way to a slow viewer: twice the buffer that it asked for (socket(7)), what the server
/// lets lie unsent (`server/src/http/connection.rs`), and the segment that is filled beyond that.
const IN_THE_KERNEL: u64 = 2 * SLOW_BUFFER_BYTES as u64 + (16 << 10) + (64 << 10);

/// From the camera to the moment a picture is chosen, and what [`Reading::read`] may be late, on a machine that has much else
/// to do (measured with three hundred viewers on two cores: 0.5 s).
const ON_THE_ROAD: Duration = Duration::from_secs(5);

/// What one viewer has read.
#[derive(Debug)]
pub struct Reading {
    /// How much it had read when; what is too early to matter has been dropped.
    steps: VecDeque<(Instant, u64)>,
    read: u64,
    /// What of that was whole parts.
    parts: u64,
}

impl Reading {
    /// Nothing yet.
    pub fn new(now: Instant) -> Self {
        Self {
            steps: [(now, 0)].into(),
            read: 0,
            parts: 0,
        }
    }

    /// It has read so many bytes more.
    pub fn read(&mut self, bytes: usize, now: Instant) {
        self.read += bytes as u64;
        self.steps.push_back((now, self.read));
    }

    /// A part of so many bytes is whole; answers how long ago its picture may have been chosen.
    pub fn part(&mut self, bytes: usize, now: Instant) -> Duration {
        let gone = self.parts.saturating_sub(IN_THE_KERNEL);
        self.parts += bytes as u64;
        while self.steps.len() > 1 && self.steps[0].1 < gone {
            self.steps.pop_front();
        }
        now.saturating_duration_since(self.steps[0].0)
    }
}

/// Complains of a picture that is older than it may be.
pub fn judge(part: &Part<'_>, chosen: Duration, ledger: &Ledger) -> anyhow::Result<()> {
    let captured = find(&part.headers, "x-timestamp").context("a part without its time")?;
    let captured: f64 = captured.parse().context("a time that is no number")?;
    let now = Timestamp::now().as_micros() as f64 / 1e6;
    let age = Duration::from_secs_f64((now - captured).max(0.0));
    let on_the_road = age.saturating_sub(chosen);
    ledger.most("oldest picture of a slow viewer, in ms", age);
    ledger.most("the same without its own slowness, in ms", on_the_road);
    ledger.one("ages looked at");
    ensure!(
        on_the_road <= ON_THE_ROAD,
        "it was shown a picture {age:?} old, and has read so slowly that it may be {chosen:?}"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PART: usize = 20_000;

    /// Reads 20 kB a second, of which `held` bytes lie in the kernel; answers the longest that a part may be behind its choice,
    /// and how much longer it took.
    fn slowly(held: u64) -> (Duration, Duration) {
        let start = Instant::now();
        let at = |bytes: u64| start + Duration::from_millis(bytes / 20);
        let mut reading = Reading::new(start);
        let (mut longest, mut over) = (Duration::ZERO, Duration::ZERO);
        for step in 1..=1000_u64 {
            let read = step * 1000;
            reading.read(1000, at(read));
            if read.is_multiple_of(PART as u64) {
                let gone = (read - PART as u64).saturating_sub(held);
                let chosen = at(gone.next_multiple_of(1000));
                let may = reading.part(PART, at(read));
                longest = longest.max(may);
                over = over.max((at(read) - chosen).saturating_sub(may));
            }
        }
        (longest, over)
    }

    #[test]
    fn what_lies_in_the_kernel_may_be_old_and_nothing_else() {
        let (longest, over) = slowly(IN_THE_KERNEL);
        assert_eq!(over, Duration::ZERO);
        let most = (IN_THE_KERNEL + PART as u64) / 20;
        assert!(longest <= Duration::from_millis(most), "{longest:?}");
        assert!(slowly(IN_THE_KERNEL * 3).1 > ON_THE_ROAD);
    }

    #[test]
    fn a_picture_that_comes_again_and_again_is_complained_of() {
        let judged = |captured: u64, chosen| {
            let now = Timestamp::now().as_micros() as f64 / 1e6;
            let part = Part {
                headers: vec![(
                    "x-timestamp".to_owned(),
                    format!("{:.6}", now - captured as f64),
                )],
                jpeg: b"",
                bytes: PART,
            };
            let ledger = Ledger::default();
            let judged = judge(&part, Duration::from_secs(chosen), &ledger);
            (
                judged.is_ok(),
                ledger.count("oldest picture of a slow viewer, in ms") / 1000,
            )
        };
        assert_eq!(judged(8, 7), (true, 8));
        assert_eq!(judged(40, 7), (false, 40));
    }
}
