//! Signals. When to stop: the first SIGINT or SIGTERM ends the server in order, a second one at once.

/// Resolves at the first signal.
pub async fn signal() {
    wait().await;
    tracing::info!("stopping; once more to stop at once");
    tokio::spawn(async {
        wait().await;
        std::process::exit(130);
    });
}

/// Calls `again` at each SIGHUP.
#[cfg(unix)]
pub async fn hangups(again: impl Fn()) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut hangups) = signal(SignalKind::hangup()) else {
        return;
    };
    while hangups.recv().await.is_some() {
        again();
    }
}

#[cfg(not(unix))]
pub async fn hangups(_: impl Fn()) {}

#[cfg(unix)]
async fn wait() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn wait() {
    let _ = tokio::signal::ctrl_c().await;
}
