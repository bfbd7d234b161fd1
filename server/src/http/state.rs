//! `/api/state`: every session with everybody who watches it, as an operator wants to see it, and ending one.

use actix_web::{HttpResponse, web};
use serde_json::{Value, json};

use super::Rooms;
use super::error::ApiError;
use crate::ingest::source::Source;
use crate::session::event::EndReason;

/// Sessions, oldest first; of each viewer its address, wire, age, rate and skips.
pub async fn state(rooms: web::Data<Rooms>) -> Result<HttpResponse, ApiError> {
    rooms.operator("see who watches")?;
    let sessions: Vec<Value> = rooms
        .store
        .all()
        .iter()
        .map(|session| {
            let mut state = session.public_json();
            state["source"] = session.source().map(Source::name).into();
            state["viewers"] = session.screen().audience().json();
            state
        })
        .collect();
    let program = rooms.program.screen().audience().json();
    Ok(HttpResponse::Ok().json(json!({"sessions": sessions, "program": {"viewers": program}})))
}

/// Ends anybody's session.
pub async fn end(
    rooms: web::Data<Rooms>,
    key: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    rooms.operator("end somebody's session")?;
    let session = rooms.session(&key)?;
    rooms.store.end(&session, EndReason::Removed);
    Ok(HttpResponse::NoContent().finish())
}
