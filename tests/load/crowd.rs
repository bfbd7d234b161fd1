//! All viewers: a third read slowly, a third leave and come again, some decode what they see, the rest take what comes.

use std::time::Duration;

use rand::RngExt;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use crate::ledger::Ledger;
use crate::sessions::Kind;
use crate::show::Show;
use crate::viewer::{Habits, live};

/// Not all at the same moment.
const APART: Duration = Duration::from_millis(5);

/// How long the last stream may take to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// What one reads of the slowest in a second, and of the fastest among the slow, in bytes.
const SLOWEST: f64 = 5_000.0;
const LEAST_SLOW: f64 = 200_000.0;

pub struct Crowd(JoinSet<()>);

impl Crowd {
    /// They come, one after the other, from now on.
    pub fn come(show: &Show, viewers: usize, checkers: usize) -> Self {
        let mut all = JoinSet::new();
        for number in 0..viewers {
            let mut chance = show.chance(1000 + number as u64);
            let habits = match number {
                number if number < viewers / 3 => Habits {
                    name: "slow",
                    // As many of 5 to 50 kB a second as of 50 to 200.
                    pace: Some(SLOWEST * (LEAST_SLOW / SLOWEST).powf(chance.random())),
                    of: number.is_multiple_of(10).then_some(Kind::Large),
                    ..Habits::reader()
                },
                number if number < viewers / 3 * 2 => Habits {
                    name: "fickle",
                    stay: Some((0.2, 5.0)),
                    fickle: true,
                    ..Habits::reader()
                },
                number if number < viewers / 3 * 2 + checkers => Habits {
                    name: "checking",
                    stay: Some((5.0, 20.0)),
                    of: Some(Kind::Plain),
                    checks: true,
                    ..Habits::reader()
                },
                _ => Habits::reader(),
            };
            let show = show.clone();
            all.spawn(async move {
                sleep(APART * number as u32).await;
                live(show, habits, chance).await;
            });
        }
        Self(all)
    }

    /// Waits until every stream has ended.
    pub async fn leave(mut self, ledger: &Ledger) {
        let end = Instant::now() + PATIENCE;
        while !self.0.is_empty() {
            match timeout_at(end, self.0.join_next()).await {
                Ok(Some(Err(error))) => ledger.complain(format!("a viewer failed: {error}")),
                Ok(_) => {}
                Err(_) => {
                    let left = self.0.len();
                    ledger.complain(format!(
                        "{left} streams have not ended {PATIENCE:?} after their sessions"
                    ));
                    return;
                }
            }
        }
    }
}
