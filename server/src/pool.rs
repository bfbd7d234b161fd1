//! The one CPU pool: decode, prepare, CPU pipelines, encode. Only I/O runs on actix's workers.
//!
//! One thread fewer than there are cores, and at least one; each session has at most one job per stage in it, so a
//! greedy session cannot fill it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::oneshot;

/// A handle to the pool's threads.
#[derive(Clone, Debug)]
pub struct Pool(Arc<rayon::ThreadPool>);

impl Pool {
    /// Starts the threads, named `limn-cpu-N`.
    pub fn start() -> Result<Self, rayon::ThreadPoolBuildError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads((cores - 1).max(1))
            .thread_name(|index| format!("limn-cpu-{index}"))
            .build()?;
        Ok(Self(Arc::new(pool)))
    }

    /// Runs `work` on the pool; `None` if it panicked. A caller that stops waiting does not stop the work.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.0.spawn_fifo(move || {
            // The panic hook has already written its message to the log.
            if let Ok(value) = catch_unwind(AssertUnwindSafe(work)) {
                let _ = reply.send(value);
            }
        });
        answer.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_takes_one_job_and_not_the_pool() {
        let pool = Pool::start().unwrap();
        assert_eq!(pool.run(|| -> u8 { panic!("on purpose") }).await, None);
        assert_eq!(pool.run(|| 7).await, Some(7));
    }
}
