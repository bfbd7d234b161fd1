//! What a process has used, as `/proc` says it.

use std::fs;

use anyhow::Context;

/// A process by its number.
#[derive(Clone, Copy, Debug)]
pub struct Process(pub u32);

impl Process {
    /// This one.
    pub fn own() -> Self {
        Self(std::process::id())
    }

    /// Seconds of CPU so far, all threads together.
    ///
    /// # Errors
    /// If it is gone.
    pub fn cpu_seconds(self) -> anyhow::Result<f64> {
        let stat = self.read("stat")?;
        // The name, in parentheses, may hold blanks; utime and stime are the 14th and 15th field (proc_pid_stat(5)).
        let (_, fields) = stat.rsplit_once(')').context("no name in stat")?;
        let mut times = fields.split_whitespace().skip(11).map(str::parse::<u64>);
        let mut next = || {
            times
                .next()
                .context("stat has too few fields")?
                .context("stat")
        };
        let ticks = next()? + next()?;
        Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
    }

    /// Bytes of memory that it has in use.
    ///
    /// # Errors
    /// If it is gone.
    pub fn resident_bytes(self) -> anyhow::Result<u64> {
        Ok(self.status("VmRSS:")? * 1024)
    }

    /// How many threads it has.
    ///
    /// # Errors
    /// If it is gone.
    pub fn threads(self) -> anyhow::Result<u64> {
        self.status("Threads:")
    }

    /// The processes that it started and that are still there, whichever of its threads did.
    ///
    /// # Errors
    /// If it is gone.
    pub fn children(self) -> anyhow::Result<Vec<Self>> {
        let mut all = Vec::new();
        for thread in fs::read_dir(self.path("task"))? {
            // A thread may end while we look.
            let text = fs::read_to_string(thread?.path().join("children")).unwrap_or_default();
            all.extend(
                text.split_whitespace()
                    .filter_map(|id| id.parse().ok().map(Self)),
            );
        }
        Ok(all)
    }

    /// How many file handles it has open.
    ///
    /// # Errors
    /// If it is gone.
    pub fn handles(self) -> anyhow::Result<usize> {
        Ok(fs::read_dir(self.path("fd"))?.count())
    }

    fn status(self, name: &str) -> anyhow::Result<u64> {
        let status = self.read("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next());
        number
            .with_context(|| format!("no `{name}` in status"))?
            .parse()
            .with_context(|| format!("`{name}` is no number"))
    }

    fn path(self, name: &str) -> String {
        format!("/proc/{}/{name}", self.0)
    }

    fn read(self, name: &str) -> anyhow::Result<String> {
        let path = self.path(name);
        fs::read_to_string(&path).with_context(|| format!("cannot read `{path}`"))
    }
}

/// Lets this process open as many file handles as the system allows, and those that it starts, which inherit it.
///
/// # Errors
/// If the system does not say, or does not let it.
pub fn allow_many_handles() -> anyhow::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: maximum,
        maximum,
    };
    Ok(setrlimit(Resource::Nofile, most)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_something() {
        let own = Process::own();
        assert!(own.cpu_seconds().expect("cpu") >= 0.0);
        assert!(own.resident_bytes().expect("memory") > 1 << 20);
        assert!(own.threads().expect("threads") >= 1);
        assert!(own.handles().expect("handles") >= 3);
    }
}
