//! How many pictures come in a second, as a broadcaster writes it.

use std::time::Duration;

use tokio::time::Instant;

/// An interval counts for no more: after a pause the old rate is likely to come back.
const LONGEST: Duration = Duration::from_secs(1);

/// The rate that receivers are told: the program's own, or as pictures have come lately.
pub struct Rate {
    own: Option<f64>,
    interval: Duration,
    last: Option<Instant>,
}

impl Rate {
    /// A rate of the operator's, or one that is measured.
    pub fn new(own: Option<f64>) -> Self {
        Self {
            own,
            interval: Duration::from_secs(1) / 30,
            last: None,
        }
    }

    /// A picture has come.
    pub fn beat(&mut self, now: Instant) {
        if let Some(last) = self.last.replace(now) {
            self.interval = (self.interval * 15 + (now - last).min(LONGEST)) / 16;
        }
    }

    /// Of the usual ones exactly: 29.97 is 30000 by 1001.
    pub fn fraction(&self) -> (u32, u32) {
        let fps = self
            .own
            .unwrap_or_else(|| (1.0 / self.interval.as_secs_f64()).round().max(1.0));
        for whole in [24, 30, 48, 60, 120] {
            if (fps - f64::from(whole) / 1.001).abs() < 0.005 {
                return (whole * 1000, 1001);
            }
        }
        ((fps * 1000.0).round() as u32, 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_exact_fractions() {
        for (fps, fraction) in [
            (30.0, (30_000, 1000)),
            (29.97, (30_000, 1001)),
            (23.976, (24_000, 1001)),
            (12.5, (12_500, 1000)),
        ] {
            assert_eq!(Rate::new(Some(fps)).fraction(), fraction);
        }
        let (mut rate, start) = (Rate::new(None), Instant::now());
        (0..200).for_each(|beat| rate.beat(start + Duration::from_millis(beat * 40)));
        assert_eq!(rate.fraction(), (25_000, 1000));
    }
}
