//! `GET /api/sessions/{key}/events`: what a session says, as server-sent events (HTML Living Standard, 9.2).

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::error::RecvError;

use super::Rooms;
use super::caller::Caller;
use super::control;
use super::error::ApiError;

/// One event per message, named by its `status`; ends with the session. Whoever shows the control token hears all that
/// the session says; a viewer nothing that tells of prompts or faults.
pub async fn events(
    rooms: web::Data<Rooms>,
    request: HttpRequest,
    key: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let session = rooms.session(&key)?;
    let place = rooms.place_to_listen()?;
    let receiver = session.events();
    let steers = control::check(&request, &session).is_ok();
    let ended = Box::pin(Caller::of(&request).until(session.end_signal()));
    let before = rooms.store.notice().map(|event| event_of(&event.json()));
    let body = stream::unfold(
        (receiver, ended),
        move |(mut receiver, mut ended)| async move {
            loop {
                let event = tokio::select! {
                    event = receiver.recv() => event,
                    () = &mut ended => return None,
                };
                let message = match event {
                    Ok(event) if steers => Some(event.json()),
                    Ok(event) => event.public_json(),
                    // Too slow for this many messages: the newest ones go on.
                    Err(RecvError::Lagged(_)) => None,
                    Err(RecvError::Closed) => return None,
                };
                if let Some(message) = message {
                    return Some((event_of(&message), (receiver, ended)));
                }
            }
        },
    );
    Ok(answer(stream::iter(before).chain(body), place))
}

/// A message as an event of the name that its `status` is.
pub(super) fn event_of(message: &Value) -> Result<Bytes, actix_web::Error> {
    let name = message["status"].as_str().unwrap_or("message");
    Ok(Bytes::from(format!("event: {name}\ndata: {message}\n\n")))
}

/// The answer that streams events as they come, to whoever has `place` meanwhile.
pub(super) fn answer(
    events: impl Stream<Item = Result<Bytes, actix_web::Error>> + 'static,
    place: OwnedSemaphorePermit,
) -> HttpResponse {
    let events = events.map(move |event| {
        let _held = &place;
        event
    });
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(events)
}
