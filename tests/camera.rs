//! A camera: a client of the Real-Time Latent Consistency Model server's socket, as that server's own page speaks to it.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::header::{COOKIE, SET_COOKIE};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::house::PATIENCE;

/// The socket's steering end. Dropping it breaks the connection without a word, as a pulled plug does.
pub struct Camera {
    socket: WebSocketStream<TcpStream>,
    /// What the server set as `Set-Cookie`, whole.
    pub set_cookie: String,
}

impl Camera {
    /// Opens a socket, showing `cookie` (`name=value`).
    ///
    /// # Errors
    /// The status with which the server refused.
    pub async fn open(address: SocketAddr, path: &str, cookie: Option<&str>) -> Result<Self, u16> {
        let mut request = format!("ws://{address}{path}")
            .into_client_request()
            .expect("an address");
        if let Some(cookie) = cookie {
            let value = cookie.parse().expect("a cookie");
            request.headers_mut().insert(COOKIE, value);
        }
        let stream = TcpStream::connect(address)
            .await
            .expect("the server listens");
        match timeout(PATIENCE, client_async(request, stream))
            .await
            .expect("no answer to the upgrade")
        {
            Ok((socket, response)) => {
                let cookie = response.headers().get(SET_COOKIE);
                let set_cookie = cookie.map_or("", |cookie| cookie.to_str().expect("text"));
                Ok(Self {
                    socket,
                    set_cookie: set_cookie.to_owned(),
                })
            }
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("the upgrade failed: {error}"),
        }
    }

    /// The cookie that finds the session again: `name=value`.
    pub fn cookie(&self) -> String {
        self.set_cookie
            .split(';')
            .next()
            .expect("a cookie")
            .to_owned()
    }

    async fn message(&mut self) -> Message {
        timeout(PATIENCE, self.socket.next())
            .await
            .expect("a camera waited in vain")
            .expect("the socket is open")
            .expect("the socket is whole")
    }

    /// The next text message.
    ///
    /// # Panics
    /// If a close or, against the protocol, a binary message comes instead.
    pub async fn hear(&mut self) -> Value {
        loop {
            match self.message().await {
                Message::Text(text) => {
                    return serde_json::from_str(&text).expect("messages are json");
                }
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?} where a text message belongs"),
            }
        }
    }

    /// Reads on to the message `status`.
    pub async fn status(&mut self, status: &str) -> Value {
        loop {
            let message = self.hear().await;
            if message["status"] == status {
                return message;
            }
        }
    }

    /// Reads on to the next binary message.
    pub async fn picture(&mut self) -> Vec<u8> {
        loop {
            if let Message::Binary(bytes) = self.message().await {
                return bytes.to_vec();
            }
        }
    }

    /// Reads on to the close, and gives its code.
    pub async fn closed(&mut self) -> Option<u16> {
        loop {
            if let Message::Close(frame) = self.message().await {
                return frame.map(|frame| frame.code.into());
            }
        }
    }

    /// Sends a text message.
    pub async fn say(&mut self, message: &Value) {
        self.text(&message.to_string()).await;
    }

    /// Sends any text.
    pub async fn text(&mut self, text: &str) {
        self.socket
            .send(Message::text(text))
            .await
            .expect("the socket is open");
    }

    /// Sends a binary message.
    pub async fn binary(&mut self, bytes: Vec<u8>) {
        self.socket
            .send(Message::binary(bytes))
            .await
            .expect("the socket is open");
    }

    /// Says that a binary message of so many bytes comes, and sends none of them.
    pub async fn announce(&mut self, length: u64) {
        use tokio::io::AsyncWriteExt;
        // FIN, binary; masked, 64 bits of length (RFC 6455, 5.2); a mask of zeros.
        let head = [&[0x82, 0xff][..], &length.to_be_bytes(), &[0; 4]].concat();
        let stream = self.socket.get_mut();
        stream.write_all(&head).await.expect("the socket is open");
    }

    /// Waits for `send_frame` and answers it.
    pub async fn frame(&mut self, params: &Value, picture: &[u8]) {
        self.status("send_frame").await;
        self.say(&json!({"status": "next_frame"})).await;
        self.say(params).await;
        self.binary(picture.to_vec()).await;
    }

    /// Closes on purpose, as a page does.
    pub async fn leave(mut self) {
        let frame = CloseFrame {
            code: CloseCode::Normal,
            reason: "".into(),
        };
        self.socket
            .close(Some(frame))
            .await
            .expect("the socket is open");
        while let Some(Ok(_)) = timeout(PATIENCE, self.socket.next())
            .await
            .expect("the server closes too")
        {}
    }

    /// Begins a binary message, sends half of it, and is gone.
    pub async fn die_in_the_middle(self, picture: &[u8]) {
        use tokio::io::AsyncWriteExt;
        let mut stream = self.socket.into_inner();
        // FIN, binary; masked, 16 bits of length (RFC 6455, 5.2); a mask of zeros.
        let length = u16::try_from(picture.len()).expect("a small picture");
        let mut bytes = vec![0x82, 0x80 | 126];
        bytes.extend(length.to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend(&picture[..picture.len() / 2]);
        // The server may have closed already.
        let _ = stream.write_all(&bytes).await;
    }
}
