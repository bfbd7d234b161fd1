//! Signals: SIGHUP to the server, SIGKILL to the process in which the device lives.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rustix::process::Signal;

use crate::api::{PATIENCE, ask};
use crate::counters::Counters;
use crate::server::signal;
use crate::show::Show;

/// The server reads its keys and its log level again.
pub fn hangup(show: &Show) -> anyhow::Result<()> {
    signal(show.process, Signal::HUP)
}

/// Ends the device's process for the `kills`-th time, and waits until another one paints.
pub async fn kill(show: &Show, kills: u64) -> anyhow::Result<()> {
    let children = show.process.children()?;
    let painter = children.first().context("there is no device's process")?;
    signal(*painter, Signal::KILL)?;
    let start = Instant::now();
    while Counters::read(show)
        .await?
        .get("limn_device_restarts_total")
        < kills
    {
        ensure!(
            start.elapsed() < PATIENCE,
            "no other device's process was begun in {PATIENCE:?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    loop {
        let answer = ask(show.address, "GET", "/readyz", None, b"").await?;
        match answer.status {
            200 => return Ok(()),
            status => show.ledger.asked_for(status),
        }
        ensure!(
            start.elapsed() < PATIENCE,
            "the device's process does not paint again: `{}`",
            String::from_utf8_lossy(&answer.body)
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
