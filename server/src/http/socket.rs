//! A WebSocket's messages, each whole and none larger than a picture may be.
//!
//! actix looks at a frame's length once all of the frame is there, and keeps what comes until then: whoever says that a
//! frame is endless could fill the memory. So lengths are read before it, and a stream with one that is too long ends there.

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use actix_ws::{AggregatedMessageStream, CloseCode, ProtocolError};
use futures_util::{StreamExt, stream};

use super::error::ApiError;
use crate::session::Session;
use crate::session::event::EndReason;

/// Answers a request for a socket; no message on it is longer than `limit` bytes.
pub(super) fn open(
    request: &HttpRequest,
    payload: web::Payload,
    limit: usize,
) -> Result<(HttpResponse, actix_ws::Session, AggregatedMessageStream), ApiError> {
    let mut payload = guarded(payload.into_inner(), limit);
    let payload = web::Payload::from_request(request, &mut payload).into_inner();
    let payload = payload.map_err(ApiError::bad_request)?;
    let (response, socket, messages) =
        actix_ws::handle(request, payload).map_err(ApiError::bad_request)?;
    let messages = messages
        .max_frame_size(limit)
        .aggregate_continuations()
        .max_continuation_size(limit);
    Ok((response, socket, messages))
}

/// Whether a socket broke since a message was longer than it may be.
pub(super) fn is_too_long(error: &ProtocolError) -> bool {
    match error {
        ProtocolError::Overflow => true,
        ProtocolError::Io(error) => error
            .get_ref()
            .and_then(|inner| inner.downcast_ref())
            .is_some_and(|inner| matches!(inner, PayloadError::Overflow)),
        _ => false,
    }
}

/// With which code a socket closes whose session has ended: a server that stops may be back in a moment.
pub(super) fn close_code(session: &Session) -> CloseCode {
    match session.end_reason() {
        Some(EndReason::Draining) => CloseCode::Restart,
        _ => CloseCode::Normal,
    }
}

fn guarded(payload: Payload, limit: usize) -> Payload {
    let begin = Some((payload, Frames::default()));
    let bytes = stream::unfold(begin, move |there| async move {
        let (mut payload, mut frames) = there?;
        match payload.next().await? {
            Ok(chunk) if frames.pass(&chunk, limit as u64) => {
                Some((Ok(chunk), Some((payload, frames))))
            }
            Ok(_) => Some((Err(PayloadError::Overflow), None)),
            Err(error) => Some((Err(error), None)),
        }
    });
    let payload = Box::pin(bytes);
    Payload::Stream { payload }
}

/// Where in a stream of frames (RFC 6455, 5.2) one is.
#[derive(Default)]
struct Frames {
    head: Vec<u8>,
    /// Bytes of the frame that are still to come; 0 in a head.
    left: u64,
}

impl Frames {
    /// Passes over `bytes`; false if a frame among them is longer than `limit`.
    fn pass(&mut self, mut bytes: &[u8], limit: u64) -> bool {
        while let [first, rest @ ..] = bytes {
            if self.left > 0 {
                let some =
                    usize::try_from(self.left).map_or(bytes.len(), |left| left.min(bytes.len()));
                self.left -= some as u64;
                bytes = &bytes[some..];
                continue;
            }
            self.head.push(*first);
            bytes = rest;
            if let Some(length) = length(&self.head) {
                if length > limit {
                    return false;
                }
                self.left = length;
                self.head.clear();
            }
        }
        true
    }
}

/// How many bytes follow a head, its mask included, once all of it is there.
fn length(head: &[u8]) -> Option<u64> {
    let second = *head.get(1)?;
    let more = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    let extended = head.get(2..2 + more + mask)?.get(..more)?;
    Some(match more {
        0 => u64::from(second & 0x7f),
        _ => extended
            .iter()
            .fold(0, |length, byte| length << 8 | u64::from(*byte)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame as a client sends it, masked with nothing.
    fn frame(length: usize) -> Vec<u8> {
        let head = match length {
            0..126 => vec![0x82, 0x80 | length as u8],
            126..0x1_0000 => [&[0x82, 0xfe][..], &(length as u16).to_be_bytes()].concat(),
            _ => [&[0x82, 0xff][..], &(length as u64).to_be_bytes()].concat(),
        };
        // A payload of what could be a head.
        [head, vec![0; 4], vec![0xff; length]].concat()
    }

    #[test]
    fn lengths_are_found_however_the_stream_is_cut() {
        let good = [0, 1, 125, 126, 1000, 70_000, 0].map(frame).concat();
        let bad = [good.clone(), frame(70_001)].concat();
        for size in [1, 3, 1000, bad.len()] {
            let all = |stream: &[u8]| {
                let mut frames = Frames::default();
                stream.chunks(size).all(|piece| frames.pass(piece, 70_000))
            };
            assert!(all(&good), "{size}");
            assert!(!all(&bad), "{size}");
        }
    }

    #[test]
    fn a_head_is_enough() {
        let head = [
            0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4,
        ];
        assert!(!Frames::default().pass(&head, 16 << 20));
    }
}
