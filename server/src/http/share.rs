//! `GET /api/share?session=ID`: a signed right to watch, for a player to hand on.

use actix_web::web;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Rooms;
use super::error::ApiError;
use crate::access::signed::Scope;

/// What is to be watched.
#[derive(Deserialize, JsonSchema)]
pub struct Query {
    /// A session's id.
    session: String,
}

/// What stands behind `?sign=` then.
#[derive(Serialize, JsonSchema)]
pub struct Share {
    /// `null` where everybody who reaches the server may watch.
    sign: Option<String>,
}

/// For the session that the query names.
pub async fn share(
    rooms: web::Data<Rooms>,
    query: web::Query<Query>,
) -> Result<web::Json<Share>, ApiError> {
    let session = rooms.session(&query.session)?;
    let scope = Scope::Session(session.key.clone());
    let sign = rooms.access.share(scope);
    Ok(web::Json(Share { sign }))
}
