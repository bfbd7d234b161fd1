//! Pictures at exact times, for readers that count on a fixed rate: OBS's media source and OpenCV take MJPEG for 25 a second.

use std::time::Duration;

use tokio::time::Instant;

/// A grid of times that begins with the first picture and does not drift.
#[derive(Debug)]
pub struct Pace {
    interval: Duration,
    next: Option<Instant>,
}

impl Pace {
    /// `fps` pictures a second.
    pub fn new(fps: f64) -> Self {
        Self {
            interval: Duration::from_secs_f64(1.0 / fps),
            next: None,
        }
    }

    /// When the next picture is due; `None` before the first, which goes out as it comes.
    pub fn due(&self) -> Option<Instant> {
        self.next
    }

    /// A picture went out. A time that was missed is not made up for.
    pub fn sent(&mut self, now: Instant) {
        let due = self.next.unwrap_or(now);
        let missed = (now - due).as_nanos() / self.interval.as_nanos();
        self.next = Some(due + self.interval * (missed as u32 + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_stands_still_whenever_pictures_go_out() {
        let start = Instant::now();
        let at = |millis: u64| start + Duration::from_millis(millis);
        let mut pace = Pace::new(25.0);
        assert_eq!(pace.due(), None);
        for (sent, due) in [
            (0, 40),
            (43, 80),
            (80, 120),
            (239, 240),
            (240, 280),
            (700, 720),
        ] {
            pace.sent(at(sent));
            assert_eq!(pace.due(), Some(at(due)), "after {sent}");
        }
    }
}
