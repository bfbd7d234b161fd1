//! Junk where pictures belong.

use std::time::Duration;

use anyhow::{Context, ensure};
use futures_util::{SinkExt, StreamExt};
use rand::RngExt;
use rand::rngs::StdRng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::sessions::Session;
use crate::show::Show;

const PATIENCE: Duration = Duration::from_secs(30);

async fn open(show: &Show, session: &Session) -> anyhow::Result<WebSocketStream<TcpStream>> {
    let path = session.path("/frames");
    let mut request = format!("ws://{}{path}", show.address).into_client_request()?;
    let bearer = format!("Bearer {}", session.control).parse()?;
    request.headers_mut().insert("Authorization", bearer);
    let stream = TcpStream::connect(show.address).await?;
    let (socket, _) = client_async(request, stream)
        .await
        .context("the server refused a socket")?;
    Ok(socket)
}

/// Pictures that are none, and words; then it leaves without a word.
pub async fn junk(show: &Show, chance: &mut StdRng) -> anyhow::Result<()> {
    let Some(session) = show.sessions.draw(chance, |_| true) else {
        return Ok(());
    };
    let mut socket = open(show, &session).await?;
    for number in 0..chance.random_range(1..12) {
        let length = chance.random_range(1..30_000);
        let mut bytes: Vec<u8> = (0..length).map(|_| chance.random()).collect();
        if number % 3 == 0 {
            // As a JPEG begins.
            bytes
                .splice(0..0, *b"\xff\xd8\xff\xe0\x00\x10JFIF\x00")
                .for_each(drop);
        }
        let message = match chance.random_range(0..4) {
            0 => Message::text("{\"not\": \"a picture\""),
            _ => Message::binary(bytes),
        };
        socket.send(message).await?;
    }
    // One answer at least: what the session paints, or that it does not paint this.
    let answer = timeout(PATIENCE, socket.next()).await;
    ensure!(answer.is_ok(), "junk on a socket was answered by nothing");
    if chance.random_bool(0.5) {
        let _ = socket.close(None).await;
    }
    Ok(())
}

/// A message that says that it is longer than anything that may come.
pub async fn oversized(show: &Show, chance: &mut StdRng) -> anyhow::Result<()> {
    let Some(session) = show.sessions.draw(chance, |_| true) else {
        return Ok(());
    };
    let mut stream = open(show, &session).await?.into_inner();
    // A masked binary message with eight bytes of length (RFC 6455, 5.2).
    let length: u64 = 1 << chance.random_range(26..40);
    let head = [&[0x82, 0xff][..], &length.to_be_bytes(), &[1, 2, 3, 4]].concat();
    let closed = async {
        let piece = [7; 64 << 10];
        stream.write_all(&head).await?;
        let (mut reader, mut writer) = stream.split();
        let mut said = Vec::new();
        tokio::select! {
            result = reader.read_to_end(&mut said) => result.map(drop),
            result = async {
                // Until the server has had enough, or all that there may be.
                let mut left = length.min(64 << 20);
                while left > 0 {
                    writer.write_all(&piece).await?;
                    left = left.saturating_sub(piece.len() as u64);
                }
                Ok(())
            } => result,
        }
    };
    ensure!(
        timeout(PATIENCE, closed).await.is_ok(),
        "a message of {length} bytes is still waited for"
    );
    Ok(())
}
