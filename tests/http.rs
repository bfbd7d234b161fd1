//! A client for plain HTTP that shows what came over the wire: one connection a request, read to its end.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::house::PATIENCE;

/// Names in lower case.
pub type Headers = Vec<(String, String)>;

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Headers,
    /// All that came behind them.
    pub body: Vec<u8>,
}

impl Answer {
    /// Reads a head (without the empty line) and takes `body` as it is.
    pub fn parse(head: &str, body: Vec<u8>) -> Self {
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        Self {
            status: status
                .and_then(|status| status.parse().ok())
                .unwrap_or_else(|| panic!("no status line in `{head}`")),
            headers: headers(lines),
            body,
        }
    }

    /// One header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in `{}`", String::from_utf8_lossy(&self.body)))
    }

    /// `error.code` of a refusal, which must come as JSON.
    pub fn code(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            Some("application/json"),
            "{self:?}"
        );
        self.json()["error"]["code"]
            .as_str()
            .unwrap_or_else(|| panic!("no code in {self:?}"))
            .to_owned()
    }

    /// `error.message` of a refusal.
    pub fn message(&self) -> String {
        self.json()["error"]["message"]
            .as_str()
            .unwrap_or_else(|| panic!("no message in {self:?}"))
            .to_owned()
    }
}

/// The value of the header `name`, lower case.
pub fn find<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(other, _)| other == name)
        .map(|(_, value)| value.as_str())
}

/// `Name: value` lines.
pub fn headers<'a>(lines: impl Iterator<Item = &'a str>) -> Headers {
    lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned()))
        .collect()
}

/// One request and its answer, over a connection of its own.
///
/// # Panics
/// If the answer is no HTTP, or takes longer than [`PATIENCE`].
pub async fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let head = head(address, method, path, "HTTP/1.1", headers, body.len());
    let mut stream = TcpStream::connect(address)
        .await
        .expect("the server listens");
    let (mut reader, mut writer) = stream.split();
    let mut bytes = Vec::new();
    let both = async {
        // A server that refuses early closes while we still write: what it said counts, and not that it closed.
        let (_, _) = tokio::join!(
            async {
                writer.write_all(head.as_bytes()).await?;
                writer.write_all(body).await
            },
            reader.read_to_end(&mut bytes)
        );
    };
    timeout(PATIENCE, both)
        .await
        .unwrap_or_else(|_| panic!("no whole answer to {method} {path}"));
    let end = position(&bytes, b"\r\n\r\n")
        .unwrap_or_else(|| panic!("no answer to {method} {path}: {} bytes", bytes.len()));
    let body = bytes.split_off(end + 4);
    Answer::parse(&String::from_utf8_lossy(&bytes[..end]), body)
}

/// The head of an answer that may have no end; the connection is dropped then.
///
/// # Panics
/// If none comes within [`PATIENCE`].
pub async fn begin(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let upgrade = headers.iter().any(|(name, _)| *name == "Upgrade");
    let mut head = head(address, method, path, "HTTP/1.1", headers, 0);
    if upgrade {
        head = head.replace("Connection: close", "Connection: Upgrade");
    }
    let mut stream = TcpStream::connect(address)
        .await
        .expect("the server listens");
    let mut bytes = Vec::new();
    let answered = async {
        let _ = stream.write_all(head.as_bytes()).await;
        loop {
            let end = position(&bytes, b"\r\n\r\n");
            if end.is_some() || !matches!(stream.read_buf(&mut bytes).await, Ok(1..)) {
                return end;
            }
        }
    };
    let end = timeout(PATIENCE, answered).await.ok().flatten();
    let end = end.unwrap_or_else(|| panic!("no answer to {method} {path}"));
    let text = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut answer = Answer::parse(&text, bytes.split_off(end + 4));
    // A refusal is short and comes whole, perhaps a moment later.
    let length = answer.header("content-length");
    let length = length.and_then(|length| length.parse().ok()).unwrap_or(0);
    while method != "HEAD" && answer.body.len() < length {
        match timeout(PATIENCE, stream.read_buf(&mut answer.body)).await {
            Ok(Ok(1..)) => {}
            _ => break,
        }
    }
    answer
}

/// A `GET` that takes the server for `host`.
pub async fn ask_as(address: SocketAddr, host: &str, path: &str) -> Answer {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let mut stream = TcpStream::connect(address)
        .await
        .expect("the server listens");
    let mut bytes = Vec::new();
    let answered = async {
        stream.write_all(request.as_bytes()).await?;
        stream.read_to_end(&mut bytes).await
    };
    let _ = timeout(PATIENCE, answered).await;
    let end = position(&bytes, b"\r\n\r\n").expect("an answer");
    let body = bytes.split_off(end + 4);
    Answer::parse(&String::from_utf8_lossy(&bytes[..end]), body)
}

/// The head of a request, its empty line included.
pub fn head(
    address: SocketAddr,
    method: &str,
    path: &str,
    version: &str,
    headers: &[(&str, &str)],
    length: usize,
) -> String {
    let more: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let length = if length > 0 || matches!(method, "POST" | "PATCH") {
        format!("Content-Length: {length}\r\n")
    } else {
        String::new()
    };
    format!(
        "{method} {path} {version}\r\nHost: {address}\r\nConnection: close\r\n{length}{more}\r\n"
    )
}

/// Where `needle` begins.
pub fn position(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
}
