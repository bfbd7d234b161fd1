//! So many a second and no more (a token bucket that holds one second's worth).

use std::sync::Mutex;
use std::time::Instant;

use super::lock;

/// See the module.
pub struct Allowance {
    per_second: f64,
    left: Mutex<(f64, Instant)>,
}

impl Allowance {
    /// All of the first second's.
    pub fn new(per_second: f64) -> Self {
        Self {
            per_second,
            left: Mutex::new((per_second.max(1.0), Instant::now())),
        }
    }

    /// How many a second.
    pub fn per_second(&self) -> f64 {
        self.per_second
    }

    /// Takes one, if one is left.
    pub fn take(&self, now: Instant) -> bool {
        let (left, since) = &mut *lock(&self.left);
        let earned = now.saturating_duration_since(*since).as_secs_f64() * self.per_second;
        *left = (*left + earned).min(self.per_second.max(1.0));
        *since = now;
        if *left < 1.0 {
            return false;
        }
        *left -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_second_gives_a_seconds_worth() {
        let allowance = Allowance::new(5.0);
        let start = Instant::now();
        let taken = |at: f64| {
            let now = start + Duration::from_secs_f64(at);
            (0..20).filter(|_| allowance.take(now)).count()
        };
        assert_eq!(taken(0.0), 5);
        assert_eq!(taken(0.4), 2);
        assert_eq!(taken(60.0), 5);
    }
}
