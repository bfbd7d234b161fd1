//! `server worker`: the device's process. Its standard input is the socket to the server, with which it ends; on its standard
//! output it notes whose frames are on the device.

use std::collections::HashMap;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream as StdStream;
use std::sync::Arc;

use anyhow::{Context, bail};
use limn_pipeline::{PipelineError, Registry, SessionId};
use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::local::Local;
use super::wire::{News, Order, receive, send};
use super::{Readiness, gauge};
use crate::listing::Listing;
use crate::telemetry;

/// Does as it is told until the server is gone.
///
/// # Errors
/// If it was not started by a server.
pub async fn serve(registry: Registry) -> anyhow::Result<()> {
    leave_with_the_server();
    // It was started by way of a link, whose name it has otherwise.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::set_name(c"limn-worker");
    tokio::spawn(stay_for_the_server());
    let socket = std::io::stdin().as_fd().try_clone_to_owned()?;
    let socket = StdStream::from(socket);
    socket
        .set_nonblocking(true)
        .context("only a server starts this")?;
    let (reader, mut writer) = UnixStream::from_std(socket)?.into_split();
    let mut reader = BufReader::new(reader);
    let Some(Order::Start(config)) = receive(&mut reader).await? else {
        bail!("only a server starts this");
    };
    let listing = Listing::new(registry, None, config.model.as_deref(), false)?;
    let device = (registry.device)(&config.device, &config.dtype)?;
    let at_work = Box::new(note);
    let local = Arc::new(Local::start(&registry, *config, device, at_work)?);
    let (news, mut leaving) = mpsc::unbounded_channel();
    let telling = tokio::spawn(async move {
        while let Some(message) = leaving.recv().await {
            if send(&mut writer, &message).await.is_err() {
                return;
            }
        }
    });
    tokio::spawn(tell_memory(Arc::clone(&local), news.clone()));
    let mut turns: HashMap<u64, AbortHandle> = HashMap::new();
    while let Some(order) = receive(&mut reader).await? {
        match order {
            Order::Start(_) => bail!("it has been started already"),
            Order::Load { row } => {
                let choice = listing.choose(Some(&row))?;
                let state = local.row(choice.entry, choice.row);
                tokio::spawn(follow(row, state, news.clone()));
            }
            Order::Turn {
                number,
                row,
                key,
                job,
            } => {
                let row = listing.choose(Some(&row))?.row;
                let (local, news) = (Arc::clone(&local), news.clone());
                let turn = tokio::spawn(async move {
                    let session = job.session;
                    let result = Box::new(local.turn(row, *job, key).await);
                    if let Err(error @ PipelineError::DeviceLost { .. }) = &*result {
                        // Nothing more can be painted in this process. The server does the rest.
                        tracing::error!("{error}");
                        note(&[session]);
                        std::process::exit(1);
                    }
                    // Whoever waits no more is gone with the server.
                    let _ = news.send(News::Painted {
                        number,
                        result,
                        open_sessions: local.open_sessions(),
                    });
                });
                turns.retain(|_, turn| !turn.is_finished());
                turns.insert(number, turn.abort_handle());
            }
            Order::Withdraw { number } => {
                if let Some(turn) = turns.remove(&number) {
                    turn.abort();
                }
            }
            Order::Close { session } => local.close(session),
            Order::Log { filter } => {
                if let Err(error) = telemetry::change(&filter) {
                    tracing::error!("{error}");
                }
            }
        }
        if telling.is_finished() {
            break;
        }
    }
    Ok(())
}

/// Whose frames are on the device, a line each: written before the step begins, for it may be this process's last.
fn note(sessions: &[SessionId]) {
    let ids: Vec<_> = sessions
        .iter()
        .map(|session| session.0.to_string())
        .collect();
    let mut out = std::io::stdout().lock();
    // Without its server this process has no reason to go on, and ends anyway.
    let _ = writeln!(out, "{}", ids.join(" ")).and_then(|()| out.flush());
}

/// Tells where a row is, now and at each change, until it paints or has failed.
async fn follow(
    row: String,
    mut state: tokio::sync::watch::Receiver<Readiness>,
    news: mpsc::UnboundedSender<News>,
) {
    loop {
        let now = state.borrow_and_update().clone();
        let settled = !matches!(now, Readiness::Loading);
        let row = row.clone();
        if news.send(News::Row { row, state: now }).is_err() || settled {
            return;
        }
        if state.changed().await.is_err() {
            return;
        }
    }
}

/// Tells how full the device is, as often as somebody looks.
async fn tell_memory(local: Arc<Local>, news: mpsc::UnboundedSender<News>) {
    let mut looks = tokio::time::interval(gauge::PAUSE);
    while !news.is_closed() {
        looks.tick().await;
        if let Some(memory) = local.memory() {
            let _ = news.send(News::Memory(memory));
        }
    }
}

/// A server that is killed cannot close its socket while a step hangs here.
fn leave_with_the_server() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, set_parent_process_death_signal};
        if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
            tracing::warn!("this process may outlive its server: {error}");
        }
    }
}

/// A terminal and a service manager signal both processes; the server says when it is over.
async fn stay_for_the_server() {
    use tokio::signal::unix::{SignalKind, signal};
    let kinds = [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ];
    let mut heard: Vec<_> = kinds
        .into_iter()
        .filter_map(|kind| signal(kind).ok())
        .collect();
    let waits = heard
        .iter_mut()
        .map(|signal| Box::pin(async move { while signal.recv().await.is_some() {} }));
    futures_util::future::join_all(waits).await;
}
