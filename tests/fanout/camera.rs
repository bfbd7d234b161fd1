//! A camera on `WS /api/sessions/{id}/frames`, in a thread of its own so that the viewers do not make it late.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{MissedTickBehavior, interval};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::marker::{Marker, now};

/// Pictures a second.
pub const FPS: u32 = 30;

/// Plays until it is dropped.
pub struct Camera {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Camera {
    /// Begins to play `pictures` to the session `id`, which `control` steers.
    pub fn start(
        address: SocketAddr,
        id: &str,
        control: &str,
        pictures: Arc<Vec<Vec<u8>>>,
    ) -> anyhow::Result<Self> {
        let mut request =
            format!("ws://{address}/api/sessions/{id}/frames").into_client_request()?;
        let bearer = format!("Bearer {control}").parse()?;
        request.headers_mut().insert("Authorization", bearer);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (socket, _) = runtime.block_on(async {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            client_async(request, stream)
                .await
                .context("the server refused the camera")
        })?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let (mut to, mut from) = socket.split();
            let play = async {
                let mut due = interval(Duration::from_secs(1) / FPS);
                due.set_missed_tick_behavior(MissedTickBehavior::Skip);
                for sequence in 0.. {
                    due.tick().await;
                    let picture = &pictures[sequence as usize % pictures.len()];
                    let sent = now();
                    let picture = Marker { sequence, sent }.stamp(picture);
                    if to.send(Message::binary(picture)).await.is_err() {
                        break;
                    }
                }
            };
            // What comes back must be taken, or the server could not send it.
            let swallow = async { while let Some(Ok(_)) = from.next().await {} };
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    () = play => {}
                    () = swallow => {}
                }
            });
        });
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
