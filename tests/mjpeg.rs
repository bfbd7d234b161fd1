//! A viewer: a reader of multipart MJPEG that takes parts with and without a length, and one of server-sent events.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::house::PATIENCE;
use crate::http::{Answer, Headers, find, head, headers, position};

const DELIMITER: &[u8] = b"\r\n--frame\r\n";

/// What the kernel may hold received for a viewer, so that one that does not read is soon a slow one.
const RECEIVE_BUFFER_BYTES: u32 = 16 << 10;

/// One part of the stream.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its headers, names in lower case.
    pub headers: Headers,
    /// The picture.
    pub bytes: Vec<u8>,
}

/// A body that is read piece by piece.
struct Body {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Body {
    async fn open(
        address: SocketAddr,
        path: &str,
        version: &str,
        more: &[(&str, &str)],
    ) -> (Answer, Self) {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket
            .set_recv_buffer_size(RECEIVE_BUFFER_BYTES)
            .expect("a small buffer");
        let mut stream = socket.connect(address).await.expect("the server listens");
        let head = head(address, "GET", path, version, more, 0);
        stream
            .write_all(head.as_bytes())
            .await
            .expect("the request goes out");
        let mut body = Self {
            stream,
            buffer: Vec::new(),
        };
        let head = body.up_to(b"\r\n\r\n").await.expect("an answer");
        (
            Answer::parse(&String::from_utf8_lossy(&head), Vec::new()),
            body,
        )
    }

    /// Reads on; false at the end.
    async fn fill(&mut self) -> bool {
        let read = timeout(PATIENCE, self.stream.read_buf(&mut self.buffer))
            .await
            .expect("a viewer waited in vain");
        matches!(read, Ok(count) if count > 0)
    }

    /// What comes before `end`, which is taken as well; `None` if the body ends first.
    async fn up_to(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        let mut searched = 0;
        loop {
            let from = searched.min(self.buffer.len());
            if let Some(at) = position(&self.buffer[from..], end) {
                let rest = self.buffer.split_off(from + at + end.len());
                let mut found = std::mem::replace(&mut self.buffer, rest);
                found.truncate(from + at);
                return Some(found);
            }
            searched = (self.buffer.len() + 1).saturating_sub(end.len());
            if !self.fill().await {
                return None;
            }
        }
    }

    async fn exactly(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.buffer.len() < count {
            if !self.fill().await {
                return None;
            }
        }
        let rest = self.buffer.split_off(count);
        Some(std::mem::replace(&mut self.buffer, rest))
    }
}

/// A reader of a stream.
pub struct Viewer {
    body: Body,
    /// The answer's status and headers.
    pub answer: Answer,
}

impl Viewer {
    /// Asks for a stream and reads as far as its first boundary.
    ///
    /// # Errors
    /// The answer, if it is no stream; its body is not read.
    pub async fn open(
        address: SocketAddr,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, Answer> {
        let (answer, mut body) = Body::open(address, path, "HTTP/1.1", headers).await;
        if answer.status != 200 {
            return Err(answer);
        }
        assert_eq!(
            body.exactly(9).await.as_deref(),
            Some(&b"--frame\r\n"[..]),
            "a boundary goes first"
        );
        Ok(Self { body, answer })
    }

    /// The next picture; placards are passed over. `None` once the stream has ended.
    pub async fn next(&mut self) -> Option<Part> {
        loop {
            let part = self.part().await?;
            if find(&part.headers, "x-limn-placard").is_none() {
                return Some(part);
            }
        }
    }

    /// The next part, be it a picture or a placard.
    pub async fn part(&mut self) -> Option<Part> {
        let head = self.body.up_to(b"\r\n\r\n").await?;
        let headers = headers(String::from_utf8_lossy(&head).split("\r\n"));
        let bytes = match find(&headers, "content-length") {
            Some(length) => {
                let bytes = self.body.exactly(length.parse().expect("a length")).await?;
                let delimiter = self.body.exactly(DELIMITER.len()).await?;
                assert_eq!(delimiter, DELIMITER, "a boundary behind each picture");
                bytes
            }
            None => self.body.up_to(DELIMITER).await?,
        };
        Some(Part { headers, bytes })
    }

    /// Reads on until a part is as `wanted`; answers how many were read, and that one.
    ///
    /// # Panics
    /// If the stream ends first.
    pub async fn until(&mut self, wanted: impl Fn(&[u8]) -> bool) -> (usize, Part) {
        let mut count = 0;
        loop {
            let part = self.next().await.expect("the stream goes on");
            count += 1;
            if wanted(&part.bytes) {
                return (count, part);
            }
        }
    }

    /// Reads the stream to its end.
    pub async fn finish(mut self) {
        while self.next().await.is_some() {}
    }
}

/// A reader of server-sent events.
pub struct Listener {
    body: Body,
    /// The answer's status and headers.
    pub answer: Answer,
}

impl Listener {
    /// Listens to a session; with its control token to all that it says.
    pub async fn open(address: SocketAddr, id: &str, control: Option<&str>) -> Self {
        let path = format!("/api/sessions/{id}/events");
        let bearer = control.map(|control| format!("Bearer {control}"));
        let more: Vec<_> = bearer
            .iter()
            .map(|bearer| ("Authorization", bearer.as_str()))
            .collect();
        // HTTP/1.0 knows no chunks, so what comes is what was sent.
        let (answer, body) = Body::open(address, &path, "HTTP/1.0", &more).await;
        Self { body, answer }
    }

    /// The next event's data; `None` once the session has ended.
    pub async fn next(&mut self) -> Option<Value> {
        let event = self.body.up_to(b"\n\n").await?;
        let event = String::from_utf8(event).expect("events are text");
        let data = event
            .lines()
            .find_map(|line| line.strip_prefix("data: "))
            .unwrap_or_else(|| panic!("no data in `{event}`"));
        Some(serde_json::from_str(data).expect("events are json"))
    }

    /// Reads on to the event `status`.
    ///
    /// # Panics
    /// If the session ends first.
    pub async fn status(&mut self, status: &str) -> Value {
        loop {
            let event = self.next().await.expect("the session goes on");
            if event["status"] == status {
                return event;
            }
        }
    }
}
