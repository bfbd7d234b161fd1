//! `GET /api/sources`: what the server reads by itself.

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::Rooms;
use super::error::ApiError;

/// Each open source, how it stands and how many read it.
pub async fn sources(rooms: web::Data<Rooms>) -> Result<HttpResponse, ApiError> {
    rooms.operator("list the sources")?;
    Ok(HttpResponse::Ok().json(json!({ "sources": rooms.sources.json() })))
}
