//! A viewer's parts on their way out: as the body of an answer, or straight to its socket.
//!
//! actix copies what a body yields into a buffer of each connection: a copy of every picture for every viewer. On plain
//! HTTP/1.1 the stream is the last thing on its connection, so once the head has gone the pictures, which all viewers
//! share, go to the socket themselves.

use std::io::{Error, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::viewer::Viewer;

/// The type of the whole stream. The boundary is letters only, without quotes or leading dashes: Safari freezes otherwise. It
/// is the nearest peer's name.
pub const CONTENT_TYPE: &str = "multipart/x-mixed-replace; boundary=frame";

/// A viewer that takes not one byte for so long is gone, whatever its connection says.
const PATIENCE: Duration = Duration::from_secs(30);

/// The parts as a body: for HTTP/2 and TLS.
pub fn body(viewer: Viewer) -> impl Stream<Item = std::io::Result<Bytes>> {
    let preamble = Some(viewer.preamble());
    unfold(
        (viewer, preamble),
        |(mut viewer, mut preamble)| async move {
            let piece = match preamble.take() {
                Some(preamble) => preamble,
                None => viewer.next().await?,
            };
            Some((Ok(piece), (viewer, preamble)))
        },
    )
}

/// A body that yields nothing: when it is asked for the first time, and the head must be gone by then, a task begins to
/// write the parts to the socket; when that ends, or the body is dropped because the viewer has left, so does the other.
pub struct Straight {
    waiting: Option<(Viewer, TcpStream)>,
    task: Option<JoinHandle<()>>,
}

impl Straight {
    /// `socket` is a second handle of the connection that the head goes out on.
    pub fn new(viewer: Viewer, socket: TcpStream) -> Self {
        Self {
            waiting: Some((viewer, socket)),
            task: None,
        }
    }
}

impl Stream for Straight {
    type Item = std::io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some((viewer, socket)) = self.waiting.take() {
            // On the worker of the connection, which sleeps and wakes with its socket anyway.
            self.task = Some(tokio::task::spawn_local(async move {
                // Whoever has gone need not be told.
                let _ = write(viewer, &socket).await;
            }));
        }
        match &mut self.task {
            Some(task) => Pin::new(task).poll(context).map(|_| None),
            None => Poll::Ready(None),
        }
    }
}

impl Drop for Straight {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn write(mut viewer: Viewer, socket: &TcpStream) -> std::io::Result<()> {
    write_all(socket, &viewer.preamble()).await?;
    while let Some(part) = viewer.next().await {
        write_all(socket, &part).await?;
    }
    Ok(())
}

async fn write_all(socket: &TcpStream, mut bytes: &[u8]) -> std::io::Result<()> {
    while !bytes.is_empty() {
        match socket.try_write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                timeout(PATIENCE, socket.writable())
                    .await
                    .map_err(Error::from)??;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
