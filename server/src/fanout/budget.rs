//! A viewer's share of a network: so many kilobits a second and no more. Quality goes first, then the rate.

use std::time::Duration;

use tokio::time::Instant;

/// Qualities to fall back on, and about how large a picture is then, as a share of what it is at 85: mozjpeg without
/// trellis, 512x512, 4:2:0, means of three photographs.
const RUNGS: [(u8, f64); 4] = [(70, 0.68), (55, 0.53), (40, 0.44), (25, 0.34)];

/// How often the quality is thought over.
const WINDOW: Duration = Duration::from_millis(500);

/// The budget of so long may be spent at once.
const BURST_SECS: f64 = 0.25;

/// A better quality must fit with this much room, or the next window would take it back.
const ROOM: f64 = 1.15;

/// What one viewer may be sent.
#[derive(Debug)]
pub struct Budget {
    bytes_per_sec: f64,
    /// What may be spent now; below zero after a picture that was larger.
    purse: f64,
    counted: Instant,
    /// What it asked for (`None`: the server's) and what there is below that.
    qualities: Vec<(Option<u8>, f64)>,
    at: usize,
    since: Instant,
    offered: u32,
    sent: u32,
    sent_bytes: usize,
}

impl Budget {
    /// `kbps` thousands of bits a second, beginning at `quality`; `plain` is the quality that `None` stands for.
    pub fn new(kbps: u32, quality: Option<u8>, plain: u8, now: Instant) -> Self {
        let bytes_per_sec = f64::from(kbps) * 125.0;
        let below = RUNGS
            .iter()
            .filter(|(rung, _)| *rung < quality.unwrap_or(plain));
        Self {
            bytes_per_sec,
            purse: bytes_per_sec * BURST_SECS,
            counted: now,
            qualities: [(quality, 1.0)]
                .into_iter()
                .chain(below.map(|(rung, size)| (Some(*rung), *size)))
                .collect(),
            at: 0,
            since: now,
            offered: 0,
            sent: 0,
            sent_bytes: 0,
        }
    }

    /// When the next picture may go out.
    pub fn free(&self) -> Instant {
        if self.purse >= 0.0 {
            return self.counted;
        }
        self.counted + Duration::from_secs_f64(-self.purse / self.bytes_per_sec)
    }

    /// A picture came that could be sent.
    pub fn offered(&mut self) {
        self.offered += 1;
    }

    /// A part of so many bytes went out. Answers the quality to go on with, if it is another.
    pub fn sent(&mut self, bytes: usize, now: Instant) -> Option<Option<u8>> {
        let earned = (now - self.counted).as_secs_f64() * self.bytes_per_sec;
        self.purse = (self.purse + earned).min(self.bytes_per_sec * BURST_SECS) - bytes as f64;
        self.counted = now;
        self.sent += 1;
        self.sent_bytes += bytes;
        let window = now - self.since;
        if window < WINDOW {
            return None;
        }
        let mean = self.sent_bytes as f64 / f64::from(self.sent);
        let needed = mean * f64::from(self.offered.max(self.sent)) / window.as_secs_f64();
        (self.since, self.offered, self.sent, self.sent_bytes) = (now, 0, 0, 0);
        let at = self.fitting(needed);
        if at == self.at {
            return None;
        }
        self.at = at;
        Some(self.qualities[at].0)
    }

    /// The best quality that fits, if this one needs so many bytes a second; down at once, up one rung at a time.
    fn fitting(&self, needed: f64) -> usize {
        let at_rung = |rung: usize| needed * self.qualities[rung].1 / self.qualities[self.at].1;
        let last = self.qualities.len() - 1;
        if needed > self.bytes_per_sec {
            return (self.at..=last)
                .find(|rung| at_rung(*rung) <= self.bytes_per_sec)
                .unwrap_or(last);
        }
        match self.at.checked_sub(1) {
            Some(better) if at_rung(better) * ROOM <= self.bytes_per_sec => better,
            _ => self.at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thirty pictures a second for ten seconds, so large as the qualities say; answers bytes and pictures of the last
    /// five seconds, and the last quality.
    fn ten_seconds(kbps: u32, plain_bytes: f64) -> (usize, u32, Option<u8>) {
        let start = Instant::now();
        let mut budget = Budget::new(kbps, None, 85, start);
        let (mut bytes, mut pictures) = (0, 0);
        for tick in 0..300 {
            let now = start + Duration::from_secs_f64(f64::from(tick) / 30.0);
            budget.offered();
            if budget.free() > now {
                continue;
            }
            let size = (plain_bytes * budget.qualities[budget.at].1) as usize;
            if tick >= 150 {
                (bytes, pictures) = (bytes + size, pictures + 1);
            }
            budget.sent(size, now);
        }
        (bytes, pictures, budget.qualities[budget.at].0)
    }

    #[test]
    fn plenty_changes_nothing() {
        assert_eq!(ten_seconds(20_000, 50_000.0).1, 150);
        assert_eq!(ten_seconds(20_000, 50_000.0).2, None);
    }

    #[test]
    fn quality_goes_first_and_the_rate_stays() {
        // 12 Mbit/s at full quality, 6.4 at 55.
        let (bytes, pictures, quality) = ten_seconds(7_000, 50_000.0);
        assert_eq!((pictures, quality), (150, Some(55)));
        assert!(bytes as f64 * 8.0 / 5.0 <= 7_000_000.0);
    }

    #[test]
    fn then_the_rate_and_the_budget_holds() {
        let (bytes, pictures, quality) = ten_seconds(1_000, 50_000.0);
        assert_eq!(quality, Some(25));
        assert!((30..50).contains(&pictures), "{pictures}");
        let used = bytes as f64 * 8.0 / 5.0;
        assert!((850_000.0..1_100_000.0).contains(&used), "{used}");
    }

    #[test]
    fn nothing_better_than_what_was_asked_for() {
        let budget = Budget::new(1000, Some(50), 85, Instant::now());
        let qualities: Vec<_> = budget
            .qualities
            .iter()
            .map(|(quality, _)| *quality)
            .collect();
        assert_eq!(qualities, [Some(50), Some(40), Some(25)]);
    }
}
