//! `WS /api/sessions/{key}/frames`: pictures in, painted pictures out, for programs without a browser.
//!
//! A binary message to the server is a JPEG, PNG or WebP; one from it is the painted JPEG, the newest whenever the client
//! has room for it. What is refused comes as text: `{"status":"refused","code","message","hint"}`.

use actix_web::{HttpRequest, HttpResponse, web};
use actix_ws::{AggregatedMessage, CloseCode};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use super::Rooms;
use super::socket::{close_code, told};
use super::window::Window;
use crate::refusal::Refusal;
use crate::session::Session;
use crate::session::event::Event;

/// Opens the socket; it ends with the session, and the session goes on without it.
pub async fn frames(
    rooms: web::Data<Rooms>,
    request: HttpRequest,
    key: web::Path<String>,
    payload: web::Payload,
) -> actix_web::Result<HttpResponse> {
    let session = rooms.session(&key)?;
    let place = rooms.intake.socket(&session.key)?;
    let (response, socket, messages, _) = rooms.socket(&request, payload)?;
    let camera = session.camera();
    actix_web::rt::spawn(async move {
        let _held = (camera, place);
        let closing = session.clone();
        tokio::select! {
            () = closing.ended() => {
                let _ = socket.clone().close(Some(close_code(&closing).into())).await;
            }
            // Whoever has gone need not be told.
            _ = exchange(&session, socket.clone(), messages) => {}
        }
    });
    Ok(response)
}

/// Both ways until one of them ends.
async fn exchange(
    session: &Session,
    mut socket: actix_ws::Session,
    mut messages: actix_ws::AggregatedMessageStream,
) -> Result<(), actix_ws::Closed> {
    let mut painted = session.screen().output().feed();
    let mut window = Window::default();
    let mut events = session.events();
    loop {
        tokio::select! {
            message = messages.recv() => match message {
                Some(Ok(AggregatedMessage::Binary(bytes))) if bytes.is_empty() => session.heard(),
                Some(Ok(AggregatedMessage::Binary(bytes))) => session.upload(Some(bytes)),
                Some(Ok(AggregatedMessage::Text(_))) => {
                    let refusal = Refusal::new("bad_message", "text came where a picture belongs");
                    socket.text(Event::Refused(refusal).json().to_string()).await?;
                }
                Some(Ok(AggregatedMessage::Ping(bytes))) => socket.pong(&bytes).await?,
                Some(Ok(AggregatedMessage::Pong(bytes))) => window.answered(&bytes, Instant::now()),
                Some(Ok(AggregatedMessage::Close(reason))) => return socket.close(reason).await,
                Some(Err(error)) => {
                    let Some((refusal, code)) = told(&error) else {
                        return socket.close(Some(CloseCode::Protocol.into())).await;
                    };
                    socket.text(Event::Refused(refusal).json().to_string()).await?;
                    return socket.close(Some(code.into())).await;
                }
                None => return Ok(()),
            },
            picture = painted.next(), if window.is_open(Instant::now()) => match picture {
                // Whoever sends the pictures knows how things stand with them.
                Some(picture) if picture.placard.is_some() => {}
                Some(picture) => window.send(&mut socket, picture.jpeg.bytes).await?,
                None => return Ok(()),
            },
            event = events.recv() => match event {
                Ok(event @ Event::Refused(_)) => socket.text(event.json().to_string()).await?,
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Ok(()),
            },
        }
    }
}
