//! Requests to the server under load, for an answer or for why there is none.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, ensure};
use limn_tests::http::{Answer, head, position};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Two cores carry hundreds of viewers meanwhile.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// One request over a connection of its own; `control` steers a session.
pub async fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    control: Option<&str>,
    body: &[u8],
) -> anyhow::Result<Answer> {
    let bearer = control.map(|control| format!("Bearer {control}"));
    let mut headers = vec![("Content-Type", "application/json")];
    headers.extend(
        bearer
            .iter()
            .map(|bearer| ("Authorization", bearer.as_str())),
    );
    let head = head(address, method, path, "HTTP/1.1", &headers, body.len());
    let both = async {
        let mut stream = TcpStream::connect(address).await?;
        let (mut reader, mut writer) = stream.split();
        let mut bytes = Vec::new();
        // A server that refuses early closes while we still write: what it said counts.
        let (_, _) = tokio::join!(
            async {
                writer.write_all(head.as_bytes()).await?;
                writer.write_all(body).await
            },
            reader.read_to_end(&mut bytes)
        );
        anyhow::Ok(bytes)
    };
    let what = || format!("{method} {path}");
    let mut bytes = timeout(PATIENCE, both)
        .await
        .with_context(what)?
        .with_context(what)?;
    ensure!(!bytes.is_empty(), "no answer to {}", what());
    let end = position(&bytes, b"\r\n\r\n").with_context(what)?;
    let body = bytes.split_off(end + 4);
    Ok(Answer::parse(&String::from_utf8_lossy(&bytes[..end]), body))
}
