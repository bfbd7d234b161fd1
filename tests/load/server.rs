//! The process under load: the release binary, without limits, on a free port of the loopback.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use limn_tests::process::Process;
use rustix::process::{Pid, Signal, kill_process};

use crate::api::{PATIENCE, ask};

/// How long sessions may go on that their owners have not ended.
pub const DRAIN: Duration = Duration::from_secs(3);

/// A connection that is kept alive, or has sent half a request, is closed after 5 s; see `--keep-alive`.
const QUIET: Duration = Duration::from_secs(60);

/// How much of its log is kept for whoever must know what happened.
const LINES: usize = 40;

/// The process; it ends when this is dropped, whatever fails.
pub struct Server {
    pub address: SocketAddr,
    pub process: Process,
    /// How often it said that it was not ready yet.
    pub unready: u64,
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts it and waits until it paints.
    pub async fn start(binary: &Path) -> anyhow::Result<Self> {
        let drain = DRAIN.as_secs().to_string();
        let mut child = Command::new(binary)
            .args(["--host", "127.0.0.1", "--port", "0"])
            .args(["--pipeline", "passthrough", "--model", "embedded"])
            .args(["--max-sessions", "0", "--idle-timeout", "0"])
            .args(["--max-viewers", "0", "--max-viewers-per-session", "0"])
            .args(["--drain", &drain])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{}`", binary.display()))?;
        let process = Process(child.id());
        let errors = child.stderr.take().context("it has a log")?;
        let mut lines = BufReader::new(errors).lines().map_while(Result::ok);
        let Some(address) = lines.find_map(|line| address(&line)) else {
            let _ = child.kill();
            let _ = child.wait();
            bail!("the server ended before it said where it listens");
        };
        let log = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&log);
        // A full pipe would stop it.
        std::thread::spawn(move || {
            for line in lines {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                if kept.len() == LINES {
                    kept.remove(0);
                }
                kept.push(line);
            }
        });
        let mut server = Self {
            address,
            process,
            unready: 0,
            child,
            log,
        };
        let start = Instant::now();
        while ask(address, "GET", "/readyz", None, b"").await?.status != 200 {
            server.unready += 1;
            if start.elapsed() > PATIENCE {
                bail!("the server does not become ready");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(server)
    }

    /// How many file handles it holds once nobody is there, and that has settled.
    pub async fn at_rest(&self) -> anyhow::Result<usize> {
        let start = Instant::now();
        let mut least = self.process.handles()?;
        let mut since = Instant::now();
        // No fewer for longer than a silent connection is kept: nobody will give one back any more.
        while since.elapsed() < Duration::from_secs(7) && start.elapsed() < QUIET {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let now = self.process.handles()?;
            if now < least {
                (least, since) = (now, Instant::now());
            }
        }
        Ok(least)
    }

    /// Asks it to stop.
    pub fn terminate(&self) -> anyhow::Result<()> {
        signal(self.process, Signal::TERM)
    }

    /// How it ended; `None` if it has not within `patience`.
    pub async fn end(&mut self, patience: Duration) -> anyhow::Result<Option<ExitStatus>> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status));
            }
            if start.elapsed() > patience {
                return Ok(None);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Its last words.
    pub fn log(&self) -> String {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Whatever has ended by itself need not be ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process by its own number.
pub fn signal(process: Process, signal: Signal) -> anyhow::Result<()> {
    let id = i32::try_from(process.0)?;
    let id = Pid::from_raw(id).context("no process has this number")?;
    Ok(kill_process(id, signal)?)
}

/// The address in its line `limn paints with ...: http://ADDRESS/`.
fn address(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("http://")?;
    rest.trim_end().trim_end_matches('/').parse().ok()
}
