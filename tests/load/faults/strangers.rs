//! Requests that are refused, each with the answer that it asks for.

use anyhow::{Context, ensure};
use limn_tests::http::position;
use rand::RngExt;
use rand::rngs::StdRng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::api::{PATIENCE, ask};
use crate::sessions::{Kind, Session};
use crate::show::Show;
use crate::viewer::enter;

/// The most sizes and qualities in which one session is watched at a time, beside its own.
const SIZES: usize = 8;

/// Somebody who does not own the session changes it.
pub async fn wrong_token(show: &Show, ghost: &Session) -> anyhow::Result<()> {
    let path = ghost.path("/params");
    for token in [
        None,
        Some("nobody's"),
        Some("0000000000000000000000000000000000000000"),
    ] {
        let status = ask(show.address, "PATCH", &path, token, b"{\"width\": 64}")
            .await?
            .status;
        ensure!(status == 403, "a wrong token was answered with {status}");
    }
    Ok(())
}

/// Paths and sessions that are none.
pub async fn nothing_there(show: &Show, chance: &mut StdRng) -> anyhow::Result<()> {
    let number: u64 = chance.random();
    for path in [
        format!("/api/sessions/{number}/stream.mjpeg"),
        format!("/api/sessions/{number}/snapshot.jpg"),
        format!("/api/{number}"),
        "/api/sessions/%00%ff/stream.mjpeg".to_owned(),
    ] {
        let status = ask(show.address, "GET", &path, None, b"").await?.status;
        ensure!(
            (400..500).contains(&status),
            "{path} was answered with {status}"
        );
    }
    Ok(())
}

/// More than a picture may be: said beforehand, or not.
pub async fn oversized_body(
    show: &Show,
    ghost: &Session,
    chance: &mut StdRng,
) -> anyhow::Result<()> {
    let said = chance.random_bool(0.5);
    let framing = if said {
        "Content-Length: 1000000000".to_owned()
    } else {
        "Transfer-Encoding: chunked".to_owned()
    };
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n{framing}\r\nConnection: close\r\n\r\n",
        ghost.path("/frame"),
        show.address,
        ghost.control,
    );
    let mut stream = TcpStream::connect(show.address).await?;
    let (mut reader, mut writer) = stream.split();
    let mut answer = Vec::new();
    let write = async {
        writer.write_all(head.as_bytes()).await?;
        let piece = [&b"10000\r\n"[..], &[b'x'; 0x10000], b"\r\n"].concat();
        // A quarter more than may come.
        for _ in 0..20 << 4 {
            writer.write_all(&piece).await?;
        }
        std::io::Result::Ok(())
    };
    let read = async {
        let mut buffer = [0; 4096];
        while position(&answer, b"\r\n\r\n").is_none() {
            match reader.read(&mut buffer).await? {
                0 => break,
                count => answer.extend_from_slice(&buffer[..count]),
            }
        }
        std::io::Result::Ok(())
    };
    // It refuses while we still write.
    let both = async { tokio::join!(write, read) };
    let (_, read) = timeout(PATIENCE, both)
        .await
        .context("a body that is too large is still read")?;
    let answer = String::from_utf8_lossy(&answer);
    ensure!(
        answer.starts_with("HTTP/1.1 413"),
        "a body that is too large was answered with `{}` ({read:?})",
        answer.lines().next().unwrap_or_default()
    );
    Ok(())
}

/// One session in more sizes than the server compresses for it: those who come last see the plain one, and are told so.
pub async fn too_many_sizes(show: &Show, chance: &mut StdRng) -> anyhow::Result<()> {
    // Fickle viewers want other sizes of the others, and are to have them.
    let Some(session) = show.sessions.draw(chance, |kind| kind == Kind::Edges) else {
        return Ok(());
    };
    let mut streams = Vec::new();
    for number in 0..SIZES + 2 {
        let width = 64 + 16 * number;
        let path = session.path(&format!("/stream.mjpeg?width={width}"));
        let mut stream = enter(show, &path, Some(0.0)).await?;
        show.ledger.one("streams");
        let mut head = Vec::new();
        while position(&head, b"\r\n\r\n").is_none() {
            let count = timeout(PATIENCE, stream.read_buf(&mut head)).await;
            ensure!(count.context("no answer")?? > 0, "no whole answer");
        }
        let head = String::from_utf8_lossy(&head).to_lowercase();
        let plain = head.contains("x-limn-rendition: plain");
        let own = head.contains(&format!("x-limn-rendition: width={width}"));
        // Those of the last time may not have been missed yet.
        ensure!(
            head.starts_with("http/1.1 200") && (plain || (own && number < SIZES)),
            "size {number} was answered with `{head}`"
        );
        streams.push(stream);
    }
    Ok(())
}
