//! How long a device may say nothing before it is taken for one that hangs.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// A device is given so long, or so many times what its pipeline's frames take.
const LEAST: Duration = Duration::from_secs(10);
const TIMES: f64 = 20.0;

/// A first frame makes plans and caches, and nobody knows yet how long one takes.
pub const FIRST: Duration = Duration::from_secs(120);

/// So many frames say how long one takes.
const REMEMBERED: usize = 200;

/// What the device's silences were, by row.
#[derive(Default)]
pub struct Patience(HashMap<&'static str, VecDeque<f64>>);

impl Patience {
    /// The device was silent for so long before a frame of `row`.
    pub fn note(&mut self, row: &'static str, silence: Duration) {
        let silences = self.0.entry(row).or_default();
        if silences.len() == REMEMBERED {
            silences.pop_front();
        }
        silences.push_back(silence.as_secs_f64());
    }

    /// How long it may be silent while frames of `row` wait.
    pub fn with(&self, row: &str) -> Duration {
        let Some(silences) = self.0.get(row) else {
            return FIRST;
        };
        let mut sorted: Vec<_> = silences.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let p99 = sorted[(sorted.len() - 1) * 99 / 100];
        LEAST.max(Duration::from_secs_f64(p99 * TIMES))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_with_what_frames_take_and_never_falls_below_ten_seconds() {
        let mut patience = Patience::default();
        assert_eq!(patience.with("img2img"), FIRST);
        patience.note("img2img", Duration::from_millis(20));
        assert_eq!(patience.with("img2img"), LEAST);
        (0..300).for_each(|_| patience.note("img2img", Duration::from_secs(2)));
        assert_eq!(patience.with("img2img"), Duration::from_secs(40));
        assert_eq!(patience.with("lcm"), FIRST);
        // One in two hundred is no rule.
        patience.note("img2img", Duration::from_secs(9));
        assert_eq!(patience.with("img2img"), Duration::from_secs(40));
        (0..300).for_each(|_| patience.note("img2img", Duration::from_millis(20)));
        assert_eq!(patience.with("img2img"), LEAST);
    }
}
