//! `GET /api/sources`: what the server reads by itself, and could by NDI.

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::Rooms;
use super::error::ApiError;

/// Each open source, how it stands and how many read it.
pub async fn sources(rooms: web::Data<Rooms>) -> Result<HttpResponse, ApiError> {
    rooms.operator("list the sources")?;
    Ok(HttpResponse::Ok().json(json!({ "sources": rooms.sources.json() })))
}

/// The NDI sources on the network; the first question takes the time that their answers take.
pub async fn ndi(rooms: web::Data<Rooms>) -> actix_web::Result<HttpResponse> {
    rooms.operator("list the sources")?;
    let network = Arc::clone(rooms.sources.network());
    let found = web::block(move || network.sources()).await?;
    let sources: Vec<_> = found
        .map_err(ApiError::from)?
        .into_iter()
        .map(|found| json!({"name": found.name, "address": found.address, "source": format!("ndi:{}", found.name)}))
        .collect();
    Ok(HttpResponse::Ok().json(json!({ "sources": sources })))
}
