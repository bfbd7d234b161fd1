//! Care for the device's process: it is begun, talked with, given up when it is silent for too long, and begun anew.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::InferenceConfig;
use super::remote::State;
use super::wire::{Order, receive, send};
use crate::telemetry;

/// The pauses between one process and the next; a process that has proven itself begins them anew.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// A process has proven itself that painted and lived for so long.
const PROVEN: Duration = Duration::from_secs(10);

/// How often the device's silence is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// How long a process that is killed may take to be gone.
const GOES: Duration = Duration::from_secs(2);

/// Begins one process after another, and attends to it.
pub(super) async fn supervise(
    state: Arc<State>,
    program: PathBuf,
    config: InferenceConfig,
    restarts: Counter,
) {
    let mut failures = 0;
    loop {
        let begun = Instant::now();
        let (reason, at_work) = match start(&program) {
            Ok((mut child, socket)) => {
                let notes = tokio::spawn(last_line(child.stdout.take()));
                tokio::spawn(pass_on(child.stderr.take()));
                let reason = attend(&state, &mut child, socket, &config).await;
                // One that waits for its driver cannot be killed before that answers, which may be never.
                let gone = async {
                    let _ = child.kill().await;
                    notes.await.unwrap_or_default()
                };
                (reason, timeout(GOES, gone).await.unwrap_or_default())
            }
            Err(error) => (format!("it cannot be started: {error}"), String::new()),
        };
        state.lose(&reason, &at_work);
        if state.has_painted() && begun.elapsed() >= PROVEN {
            failures = 0;
        }
        let pause = PAUSES[failures.min(PAUSES.len() - 1)];
        failures += 1;
        restarts.inc();
        let again = pause.as_secs_f64();
        tracing::error!("the device's process is gone: {reason}; another begins in {again} s");
        tokio::time::sleep(pause).await;
    }
}

fn start(program: &Path) -> std::io::Result<(Child, UnixStream)> {
    let (ours, theirs) = StdStream::pair()?;
    ours.set_nonblocking(true)?;
    let mut command = Command::new(itself(program));
    // It is told everything. What files and variables say may have changed since this server read them.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LIMN_") {
            command.env_remove(name);
        }
    }
    let child = command
        .arg0(program)
        .arg("worker")
        .envs(telemetry::variables())
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    Ok((child, UnixStream::from_std(ours)?))
}

/// This program as it was when it was started: another may lie in its place by now, which speaks otherwise.
fn itself(program: &Path) -> &Path {
    if cfg!(target_os = "linux") {
        Path::new("/proc/self/exe")
    } else {
        program
    }
}

/// The last whole line that the process wrote.
async fn last_line(output: Option<ChildStdout>) -> String {
    let mut last = String::new();
    let Some(output) = output else { return last };
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        last = line;
    }
    last
}

/// Its log lines are the server's. What libtorch or a panic writes comes the same way, in whatever bytes.
async fn pass_on(errors: Option<ChildStderr>) {
    let Some(errors) = errors else { return };
    let mut lines = BufReader::new(errors).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        telemetry::pass_on(&String::from_utf8_lossy(&line));
    }
}

/// Talks with the process until it is gone, or must go; answers why.
async fn attend(
    state: &State,
    child: &mut Child,
    socket: UnixStream,
    config: &InferenceConfig,
) -> String {
    let (reader, mut writer) = socket.into_split();
    let mut reader = BufReader::new(reader);
    let (orders, mut leaving) = mpsc::unbounded_channel();
    let _ = orders.send(Order::Start(Box::new(config.clone())));
    state.begin(orders);
    let tell = async {
        while let Some(order) = leaving.recv().await {
            if let Err(error) = send(&mut writer, &order).await {
                return error.to_string();
            }
        }
        "nobody gives orders any more".to_owned()
    };
    let hear = async {
        loop {
            match receive(&mut reader).await {
                Ok(Some(news)) => state.hear(news),
                // How it ended says more.
                Ok(None) => std::future::pending().await,
                Err(error) => return error.to_string(),
            }
        }
    };
    let watch = async {
        loop {
            tokio::time::sleep(LOOK).await;
            if let Some(reason) = state.look(config.device_timeout, Instant::now()) {
                return reason;
            }
        }
    };
    tokio::select! {
        ended = child.wait() => match ended {
            Ok(status) => format!("it ended with {status}"),
            Err(error) => error.to_string(),
        },
        reason = tell => reason,
        reason = hear => reason,
        reason = watch => reason,
    }
}
