//! A WebSocket's messages, each whole, none larger than it may be, none long under way.
//!
//! actix looks at a frame's length once all of the frame is there, and keeps what comes until then: whoever says that a
//! frame is endless could fill the memory. So lengths are read before it, and a stream with one that is too long ends there.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use actix_ws::{AggregatedMessageStream, CloseCode, ProtocolError};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::time::{Instant, timeout_at};

use super::cut::Cut;
use super::error::ApiError;
use super::intake::{Intake, Room};
use super::message::Frames;
use crate::lock::lock;
use crate::refusal::Refusal;
use crate::session::Session;
use crate::session::event::EndReason;

/// What a message may take without having asked for room: most pictures are no longer, and have not to wait for others.
const FREE_BYTES: usize = 64 << 10;

/// Answers a request for a socket; no message on it is longer than a picture may be.
pub(super) fn open(
    request: &HttpRequest,
    payload: web::Payload,
    intake: &Arc<Intake>,
) -> Result<
    (
        HttpResponse,
        actix_ws::Session,
        AggregatedMessageStream,
        Heard,
    ),
    ApiError,
> {
    let heard = Heard(Arc::new(Mutex::new(Instant::now())));
    let limit = intake.largest_picture();
    let guard = Guard {
        payload: payload.into_inner(),
        intake: Arc::clone(intake),
        frames: Frames::new(limit),
        message: 0,
        deadline: None,
        room: None,
        heard: heard.clone(),
    };
    let mut payload = guard.payload();
    let payload = web::Payload::from_request(request, &mut payload).into_inner();
    let payload = payload.map_err(ApiError::bad_request)?;
    let (response, socket, messages) =
        actix_ws::handle(request, payload).map_err(ApiError::bad_request)?;
    let messages = messages
        .max_frame_size(limit)
        .aggregate_continuations()
        .max_continuation_size(limit);
    Ok((response, socket, messages, heard))
}

/// When the last byte came on a socket: of a long message over a slow link nothing else is heard for a while.
#[derive(Clone)]
pub(super) struct Heard(Arc<Mutex<Instant>>);

impl Heard {
    /// How long that is ago.
    pub(super) fn elapsed(&self) -> Duration {
        lock(&self.0).elapsed()
    }
}

/// With which code a socket closes whose session has ended: a server that stops may be back in a moment.
pub(super) fn close_code(session: &Session) -> CloseCode {
    match session.end_reason() {
        Some(EndReason::Draining) => CloseCode::Restart,
        _ => CloseCode::Normal,
    }
}

/// What to tell the client of a socket that broke, if it was we who broke it; the rest of a message that is not wanted cannot
/// be told from the next one.
pub(super) fn told(error: &ProtocolError) -> Option<(Refusal, CloseCode)> {
    let ProtocolError::Io(error) = error else {
        return None;
    };
    let PayloadError::Io(error) = error.get_ref()?.downcast_ref()? else {
        return None;
    };
    let cut: &Cut = error.get_ref()?.downcast_ref()?;
    Some(cut.told())
}

/// A socket's bytes, looked at before anything is made of them.
struct Guard {
    payload: Payload,
    intake: Arc<Intake>,
    frames: Frames,
    /// Which message is under way, until when it may be, and the room that it has.
    message: u64,
    deadline: Option<Instant>,
    room: Option<Room>,
    heard: Heard,
}

impl Guard {
    fn payload(self) -> Payload {
        let bytes = stream::unfold(Some(self), move |guard| async move {
            let mut guard = guard?;
            match guard.next().await? {
                Ok(chunk) => Some((Ok(chunk), Some(guard))),
                Err(error) => Some((Err(error), None)),
            }
        });
        let payload = Box::pin(bytes);
        Payload::Stream { payload }
    }

    async fn next(&mut self) -> Option<Result<Bytes, PayloadError>> {
        let chunk = match self.deadline {
            Some(deadline) => timeout_at(deadline, self.payload.next()).await,
            None => Ok(self.payload.next().await),
        };
        let chunk = match chunk {
            Ok(Some(Ok(chunk))) => chunk,
            Ok(end) => return end,
            Err(_) => return Some(Err(broken(Cut::TooSlow))),
        };
        *lock(&self.heard.0) = Instant::now();
        let passed = self.frames.pass(&chunk);
        let cut = match passed {
            Ok(()) => self.make_room().await,
            Err(cut) => Err(cut),
        };
        Some(cut.map(|()| chunk).map_err(broken))
    }

    /// For what is under way at the end of a chunk.
    async fn make_room(&mut self) -> Result<(), Cut> {
        let Some((message, bytes)) = self.frames.under_way() else {
            (self.deadline, self.room) = (None, None);
            return Ok(());
        };
        let deadline = match self.deadline {
            Some(deadline) if self.message == message => deadline,
            _ => {
                self.room = None;
                Instant::now() + self.intake.patience()
            }
        };
        (self.message, self.deadline) = (message, Some(deadline));
        if bytes > FREE_BYTES as u64 {
            let room = self.intake.room(bytes, self.room.take());
            let room = timeout_at(deadline, room).await;
            self.room = Some(room.map_err(|_| Cut::NoRoom)?);
        }
        Ok(())
    }
}

fn broken(cut: Cut) -> PayloadError {
    PayloadError::Io(std::io::Error::other(cut))
}
