//! Bytes that are no request, or far too much of one.

use std::time::Duration;

use anyhow::ensure;
use rand::RngExt;
use rand::rngs::StdRng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::show::Show;

/// A connection that has sent no whole head is closed after 5 s; see `--header-timeout`.
const PATIENCE: Duration = Duration::from_secs(30);

/// Anything, of any length.
pub fn garbage(chance: &mut StdRng) -> Vec<u8> {
    let length = chance.random_range(1..20_000);
    let mut bytes: Vec<u8> = (0..length).map(|_| chance.random()).collect();
    match chance.random_range(0..3) {
        0 => bytes.splice(0..0, *b"GET / HTTP/1.1\r\n").for_each(drop),
        1 => bytes
            .splice(0..0, *b"\x16\x03\x01\x02\x00\x01")
            .for_each(drop),
        _ => {}
    }
    bytes
}

/// Hundreds of headers, or one that does not end.
pub fn huge_head(show: &Show, chance: &mut StdRng) -> Vec<u8> {
    let mut head = format!("GET /health HTTP/1.1\r\nHost: {}\r\n", show.address);
    if chance.random_bool(0.5) {
        for number in 0..2000 {
            head.push_str(&format!("X-Header-{number}: {number}\r\n"));
        }
        head.push_str("\r\n");
    } else {
        head.push_str("X-Long: ");
        head.push_str(&"x".repeat(400_000));
    }
    head.into_bytes()
}

/// Sends them and reads what the server says to that, until it closes the connection.
pub async fn shout(show: Show, bytes: Vec<u8>) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(show.address).await?;
    let mut said = Vec::new();
    let both = async {
        let (mut reader, mut writer) = stream.split();
        // It may close while we still write.
        let (_, _) = tokio::join!(writer.write_all(&bytes), reader.read_to_end(&mut said));
    };
    let closed = timeout(PATIENCE, both).await;
    ensure!(
        closed.is_ok(),
        "the server keeps a connection on which {} bytes of rubble came",
        bytes.len()
    );
    let said = String::from_utf8_lossy(&said);
    ensure!(
        !said.starts_with("HTTP/1.1 5") && !said.starts_with("HTTP/1.1 2"),
        "rubble was answered with `{}`",
        said.lines().next().unwrap_or_default()
    );
    Ok(())
}
