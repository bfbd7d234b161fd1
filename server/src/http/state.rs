//! `/api/state`: every session with everybody who watches it, as an operator wants to see it, and ending one.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;

use super::Rooms;
use super::error::ApiError;
use crate::fanout::audience::ViewerState;
use crate::session::SessionState;
use crate::session::event::EndReason;

/// `GET /api/state`.
#[derive(Serialize, JsonSchema)]
pub struct Everything {
    sessions: Vec<Watched>,
    program: Viewers,
}

#[derive(Serialize, JsonSchema)]
struct Watched {
    #[serde(flatten)]
    session: SessionState,
    /// What the server reads for it; of an address in the network only the host.
    source: Option<String>,
    viewers: Vec<ViewerState>,
}

#[derive(Serialize, JsonSchema)]
struct Viewers {
    viewers: Vec<ViewerState>,
}

/// Sessions, oldest first; of each viewer its address, wire, age, rate and skips.
pub async fn state(rooms: web::Data<Rooms>) -> web::Json<Everything> {
    let sessions = rooms
        .store
        .all()
        .iter()
        .map(|session| Watched {
            session: session.state(),
            source: session.source().map(|source| source.name().to_owned()),
            viewers: session.screen().audience().viewers(),
        })
        .collect();
    let viewers = rooms.program.screen().audience().viewers();
    web::Json(Everything {
        sessions,
        program: Viewers { viewers },
    })
}

/// Ends anybody's session.
pub async fn end(
    rooms: web::Data<Rooms>,
    key: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let session = rooms.session(&key)?;
    rooms.store.end(&session, EndReason::Removed);
    Ok(HttpResponse::NoContent().finish())
}
