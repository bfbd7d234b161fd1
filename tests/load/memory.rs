//! What the server and its device's process have in memory, each second.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use limn_tests::process::Process;
use limn_tests::table::median;
use tokio::task::JoinHandle;

/// How much of its level it may gain or lose.
pub const LEVEL: f64 = 0.05;

pub struct Memory {
    start: Instant,
    samples: Arc<Mutex<Vec<(Duration, u64)>>>,
    task: JoinHandle<()>,
}

impl Memory {
    /// Looks each second from now on.
    pub fn watch(process: Process, verbose: bool) -> Self {
        let start = Instant::now();
        let samples = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&samples);
        let task = tokio::spawn(async move {
            let mut seconds = tokio::time::interval(Duration::from_secs(1));
            loop {
                seconds.tick().await;
                // What has just been killed has no memory to ask for.
                let (Ok(own), Ok(painter)) = (process.resident_bytes(), painter(process)) else {
                    continue;
                };
                if verbose {
                    let (at, own, painter) = (
                        start.elapsed().as_secs_f64(),
                        own as f64 / 1e6,
                        painter as f64 / 1e6,
                    );
                    println!(
                        "{at:8.2} s  memory: {own:.1} MB, the device's process {painter:.1} MB"
                    );
                }
                let bytes = own + painter;
                let mut samples = kept.lock().unwrap_or_else(PoisonError::into_inner);
                samples.push((start.elapsed(), bytes));
            }
        });
        Self {
            start,
            samples,
            task,
        }
    }

    /// When it began to look.
    pub fn began(&self) -> Instant {
        self.start
    }

    /// The middle of what was there for `look` from `warm` on, and of the last `look` until now; `None` if nobody looked.
    pub fn levels(&self, warm: Duration, look: Duration) -> Option<(u64, u64)> {
        self.task.abort();
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        let (end, _) = *samples.last()?;
        let level = |from: Duration, until: Duration| {
            let there = samples.iter().filter(|(at, _)| (from..until).contains(at));
            let middle = median(there.map(|(_, bytes)| *bytes as f64).collect());
            (!middle.is_nan()).then_some(middle as u64)
        };
        Some((
            level(warm, warm + look)?,
            level(end.saturating_sub(look), end + look)?,
        ))
    }
}

/// What the server's children have.
fn painter(process: Process) -> anyhow::Result<u64> {
    let children = process.children()?.into_iter();
    children.map(Process::resident_bytes).sum()
}
