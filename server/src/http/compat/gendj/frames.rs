//! Frames: one binary message in is a JPEG, one out is the painted one, and never anything else.

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use actix_ws::{AggregatedMessage, CloseCode};
use tokio::time::Instant;

use super::Shared;
use crate::http::counted;
use crate::http::socket::close_code;
use crate::http::window::Window;
use crate::session::Session;
use crate::session::event::EndReason;

/// Any path.
pub fn configure(app: &mut ServiceConfig) {
    app.default_service(web::get().to(open));
}

async fn open(
    shared: web::Data<Shared>,
    request: HttpRequest,
    payload: web::Payload,
) -> actix_web::Result<HttpResponse> {
    let (response, socket, messages, _) = shared.rooms.socket(&request, payload)?;
    let from = counted(&request);
    actix_web::rt::spawn(async move {
        let Some(session) = shared.begin(from) else {
            // That page tries again five seconds after a close, for ever.
            let _ = socket.close(Some(CloseCode::Again.into())).await;
            return;
        };
        let camera = session.camera();
        let talk = exchange(&session, socket.clone(), messages);
        tokio::select! {
            () = session.ended() => {}
            // Whoever has gone need not be told.
            _ = talk => {}
        }
        drop(camera);
        shared.rooms.store.end(&session, EndReason::Left);
        let _ = socket.close(Some(close_code(&session).into())).await;
    });
    Ok(response)
}

async fn exchange(
    session: &Session,
    mut socket: actix_ws::Session,
    mut messages: actix_ws::AggregatedMessageStream,
) -> Result<(), actix_ws::Closed> {
    let mut painted = session.screen().output().feed();
    let mut window = Window::default();
    loop {
        tokio::select! {
            message = messages.recv() => match message {
                Some(Ok(AggregatedMessage::Binary(bytes))) if !bytes.is_empty() => session.upload(Some(bytes)),
                Some(Ok(AggregatedMessage::Ping(bytes))) => socket.pong(&bytes).await?,
                Some(Ok(AggregatedMessage::Close(_)) | Err(_)) | None => return Ok(()),
                Some(Ok(AggregatedMessage::Pong(bytes))) => window.answered(&bytes, Instant::now()),
                Some(Ok(_)) => session.heard(),
            },
            picture = painted.next(), if window.is_open(Instant::now()) => match picture {
                Some(picture) if picture.placard.is_none() => {
                    window.send(&mut socket, picture.jpeg.bytes).await?;
                }
                Some(_) => {}
                None => return Ok(()),
            },
        }
    }
}
