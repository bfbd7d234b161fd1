//! The socket of the Real-Time Latent Consistency Model server, which our own page speaks too: who gets which session.
//! What is then said is in [`lcm_talk`](super::lcm_talk).

use std::sync::Arc;
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use actix_ws::CloseCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::lcm_talk::{End, Talk};
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::{Rooms, control, counted};
use crate::session::event::EndReason;
use crate::session::store::{CreateError, Store};
use crate::session::wish::Wish;
use crate::session::{CameraSocket, Session, token};

/// A page that is reloaded says that it goes away, and is back within moments under the same name.
const RELOAD: Duration = Duration::from_secs(5);

/// What stands behind the `?`.
#[derive(Deserialize, JsonSchema)]
pub struct Query {
    /// The row that a new session starts with.
    row: Option<String>,
}

/// `GET /api/ws/{key}`: begins the session of that name, or finds it again with the cookie that it set.
pub async fn socket(
    rooms: web::Data<Rooms>,
    request: HttpRequest,
    key: web::Path<String>,
    query: web::Query<Query>,
    payload: web::Payload,
) -> actix_web::Result<HttpResponse> {
    if !token::is_key(&key) {
        return Err(ApiError::bad_request("a session is named by a uuid").into());
    }
    // Before anything else: what asks for no socket must not take a place.
    let (mut response, socket, messages, heard) = rooms.socket(&request, payload)?;
    let caller = Caller::of(&request);
    // The one that the gate looked at: another may have come meanwhile, which is somebody else's.
    let session = match caller.session() {
        Some(session) => Ok(session),
        None => {
            let choice = rooms
                .listing
                .choose(query.row.as_deref())
                .map_err(ApiError::from)?;
            rooms.store.create(Wish {
                key: Some(key.to_string()),
                from: counted(&request),
                lease: caller.lease(),
                trusted: caller.is_operator(),
                shown: control::shown(&request),
                ..Wish::of(choice)
            })
        }
    };
    let session = match session {
        Ok(session) if session.attach() => session,
        Ok(_) => return Err(ApiError::attached().into()),
        Err(error @ (CreateError::Full { .. } | CreateError::Crowded(_))) => {
            actix_web::rt::spawn(full(socket, error));
            return Ok(response);
        }
        Err(error) => return Err(ApiError::from(error).into()),
    };
    let claim = Claim {
        _camera: session.camera(),
        session,
        store: Arc::clone(&rooms.store),
    };
    response
        .add_cookie(&control::cookie(&claim.session, rooms.is_secure(&request)))
        .map_err(|error| ApiError::bad_request(error.to_string()))?;
    actix_web::rt::spawn(async move {
        let talk = Talk::new(rooms, socket, Arc::clone(&claim.session), heard);
        let end = talk.run(messages).await;
        claim.release(end);
    });
    Ok(response)
}

/// A full server says so over the socket, since a browser's page cannot read the status of a refused upgrade.
async fn full(mut socket: actix_ws::Session, error: CreateError) {
    // In that server's words, for its page.
    let message = match error {
        CreateError::Full { place, .. } => {
            json!({"status": "error", "message": "Server is full", "place": place})
        }
        error => json!({"status": "error", "message": error.to_string()}),
    };
    // Whoever has gone need not be told.
    let _ = socket.text(message.to_string()).await;
    let _ = socket.close(Some(CloseCode::Normal.into())).await;
}

/// The socket's hold on its session, given back however its task ends.
struct Claim {
    _camera: CameraSocket,
    session: Arc<Session>,
    store: Arc<Store>,
}

impl Claim {
    fn release(self, end: End) {
        match end {
            End::Left => self.store.end(&self.session, EndReason::Left),
            End::GoingAway => {
                let (session, store) = (Arc::clone(&self.session), Arc::clone(&self.store));
                actix_web::rt::spawn(async move {
                    tokio::select! {
                        () = session.ended() => {}
                        () = tokio::time::sleep(RELOAD) => if !session.is_attached() {
                            store.end(&session, EndReason::Left);
                        },
                    }
                });
            }
            End::Dropped | End::SessionEnded => {}
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.session.detach();
    }
}
