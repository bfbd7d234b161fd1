//! Connections on which nothing more happens.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::show::Show;
use crate::viewer::enter;

/// So long a connection is held.
pub fn moment(chance: &mut StdRng) -> Duration {
    Duration::from_millis(chance.random_range(500..12_000))
}

/// A request that breaks off in its head, or in its body.
pub fn half_request(show: &Show, chance: &mut StdRng) -> (Vec<u8>, Duration) {
    let whole = format!(
        "POST /api/sessions HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{\"label\":",
        show.address
    );
    let length = chance.random_range(0..=whole.len());
    (whole.as_bytes()[..length].to_vec(), moment(chance))
}

/// Sends `bytes` and is silent.
pub async fn hold(show: Show, bytes: Vec<u8>, silent: Duration) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(show.address).await?;
    stream.write_all(&bytes).await?;
    let mut said = [0; 1024];
    // The server may close it first, or say that it waited long enough.
    let _ = timeout(silent, async {
        while let Ok(1..) = stream.read(&mut said).await {}
    })
    .await;
    Ok(())
}

/// Closes its sending side and keeps the other one.
pub async fn half_open(show: Show, silent: Duration) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(show.address).await?;
    stream.shutdown().await?;
    sleep(silent).await;
    Ok(())
}

/// A viewer that asks for a stream and reads none of it.
pub async fn deaf(show: Show, path: String, silent: Duration) -> anyhow::Result<()> {
    let stream = enter(&show, &path, Some(0.0)).await?;
    show.ledger.one("streams");
    tokio::select! {
        () = sleep(silent) => {}
        () = show.over() => {}
    }
    drop(stream);
    Ok(())
}
