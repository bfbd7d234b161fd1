//! `GET /api/sources`: what the server reads by itself, and could by NDI.

use std::sync::Arc;

use actix_web::web;
use schemars::JsonSchema;
use serde::Serialize;

use super::Rooms;
use super::error::ApiError;
use crate::ingest::source::OpenSource;

/// What the server reads.
#[derive(Serialize, JsonSchema)]
pub struct Open {
    sources: Vec<OpenSource>,
}

/// What it could read by NDI.
#[derive(Serialize, JsonSchema)]
pub struct Found {
    sources: Vec<NdiSource>,
}

#[derive(Serialize, JsonSchema)]
struct NdiSource {
    name: String,
    address: String,
    /// What a session's `source` names it by.
    source: String,
}

/// Each open source, how it stands and how many read it.
pub async fn sources(rooms: web::Data<Rooms>) -> web::Json<Open> {
    let sources = rooms.sources.opened();
    web::Json(Open { sources })
}

/// The NDI sources on the network; the first question takes the time that their answers take.
pub async fn ndi(rooms: web::Data<Rooms>) -> actix_web::Result<web::Json<Found>> {
    let network = Arc::clone(rooms.sources.network());
    let found = web::block(move || network.sources()).await?;
    let sources: Vec<_> = found
        .map_err(ApiError::from)?
        .into_iter()
        .map(|found| NdiSource {
            source: format!("ndi:{}", found.name),
            name: found.name,
            address: found.address,
        })
        .collect();
    Ok(web::Json(Found { sources }))
}
