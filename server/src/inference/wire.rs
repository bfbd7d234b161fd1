//! What the server and its device's process say to each other: MessagePack behind its length, over a Unix socket.

use std::io;

use limn_pipeline::{BatchKey, DeviceMemory, HostJob, Output, PipelineError, SessionId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{InferenceConfig, Readiness};

/// Two pictures of 16 megapixels, and room to spare.
const LARGEST: usize = 256 << 20;

/// From the server.
#[derive(Serialize, Deserialize)]
pub enum Order {
    /// First of all: what to paint on.
    Start(Box<InferenceConfig>),
    /// Reads a row.
    Load {
        /// Its id.
        row: String,
    },
    /// Paints a frame.
    Turn {
        /// Comes back with the answer.
        number: u64,
        /// The row's id.
        row: String,
        /// Frames of one key may share a call.
        key: Option<BatchKey>,
        /// The frame.
        job: Box<HostJob>,
    },
    /// Nobody waits for that frame any more.
    Withdraw {
        /// See [`Order::Turn`].
        number: u64,
    },
    /// Forgets a session.
    Close {
        /// Which.
        session: SessionId,
    },
    /// What it writes down from now on.
    Log {
        /// As in `--log`.
        filter: String,
    },
}

/// From the device's process.
#[derive(Serialize, Deserialize)]
pub enum News {
    /// Where a row is.
    Row {
        /// Its id.
        row: String,
        /// Where.
        state: Readiness,
    },
    /// A frame's answer.
    Painted {
        /// See [`Order::Turn`].
        number: u64,
        /// The picture.
        result: Box<Result<Output, PipelineError>>,
        /// How many sessions it remembers.
        open_sessions: usize,
    },
    /// How full the device is; from another thread than the device's, so no sign of life.
    Memory(DeviceMemory),
}

/// Writes one message.
///
/// # Errors
/// If the other end is gone.
pub async fn send<T: Serialize>(
    writer: &mut (impl AsyncWrite + Unpin),
    message: &T,
) -> io::Result<()> {
    let mut bytes = vec![0; 4];
    rmp_serde::encode::write_named(&mut bytes, message).map_err(io::Error::other)?;
    let length = u32::try_from(bytes.len() - 4).map_err(io::Error::other)?;
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    writer.write_all(&bytes).await
}

/// Reads one message; `None` if the other end has closed.
///
/// # Errors
/// If it broke, or sends something else.
pub async fn receive<T: DeserializeOwned>(
    reader: &mut (impl AsyncRead + Unpin),
) -> io::Result<Option<T>> {
    let length = match reader.read_u32_le().await {
        Ok(length) => length as usize,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    };
    if length > LARGEST {
        return Err(io::Error::other(format!("a message of {length} bytes")));
    }
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes).await?;
    rmp_serde::from_slice(&bytes)
        .map(Some)
        .map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use limn_pipeline::{Cancel, Frame, Prepared, Size};

    #[tokio::test]
    async fn orders_and_news_arrive_as_they_were() {
        let (mut here, mut there) = tokio::io::duplex(1 << 16);
        let picture = Frame::filled(Size::new(16, 8), [1, 2, 3]);
        let job = HostJob {
            session: SessionId(3),
            params: serde_json::from_str(r#"{"prompt": "neon", "strength": 0.5}"#).unwrap(),
            prepared: Prepared {
                picture: Some(picture.clone()),
                control: None,
            },
            cancel: Cancel::default(),
        };
        let order = Order::Turn {
            number: 7,
            row: "img2img".to_owned(),
            key: Some(BatchKey("one".to_owned())),
            job: Box::new(job.clone()),
        };
        send(&mut here, &order).await.unwrap();
        let Some(Order::Turn { job: arrived, .. }) = receive(&mut there).await.unwrap() else {
            panic!("another order");
        };
        assert_eq!(arrived.params, job.params);
        assert!(arrived.prepared.same_pictures(&job.prepared));
        for result in [
            Ok(Output::from(picture)),
            Err(PipelineError::failed("img2img", "no reason")),
        ] {
            let words = format!("{result:?}");
            let news = News::Painted {
                number: 7,
                result: Box::new(result),
                open_sessions: 2,
            };
            send(&mut there, &news).await.unwrap();
            let Some(News::Painted { result, .. }) = receive(&mut here).await.unwrap() else {
                panic!("other news");
            };
            assert_eq!(format!("{result:?}"), words);
        }
        drop(there);
        assert!(receive::<News>(&mut here).await.unwrap().is_none());
    }
}
