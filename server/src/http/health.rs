//! Alive, ready, and what there is to paint with.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;

use super::Rooms;
use crate::inference::Readiness;

/// That the process answers.
#[derive(Serialize, JsonSchema)]
pub struct Health {
    status: &'static str,
}

/// Whether a new session paints at once.
#[derive(Serialize, JsonSchema)]
pub struct Ready {
    /// `ready`, `loading`, `failed`, `recovering` or `draining`.
    status: &'static str,
    /// The row that new sessions begin with.
    row: &'static str,
    /// Why it failed.
    reason: Option<String>,
}

/// `GET /health`: the process answers.
pub async fn health() -> web::Json<Health> {
    web::Json(Health { status: "ok" })
}

/// `GET /readyz`: the first row is loaded and has made one frame, so that a new session paints at once.
pub async fn ready(rooms: web::Data<Rooms>) -> HttpResponse {
    let first = rooms.listing.first();
    let (status, reason) = match &*rooms.warm.borrow() {
        _ if rooms.store.is_draining() => ("draining", None),
        _ if rooms.inference.is_lost() => ("recovering", None),
        Readiness::Ready(_) => ("ready", None),
        Readiness::Loading => ("loading", None),
        Readiness::Failed(error) => ("failed", Some(error.to_string())),
    };
    let body = Ready {
        status,
        row: first.row.id,
        reason,
    };
    if status == "ready" {
        HttpResponse::Ok().json(body)
    } else {
        HttpResponse::ServiceUnavailable().json(body)
    }
}

/// `GET /api/pipelines`.
pub async fn pipelines(rooms: web::Data<Rooms>) -> HttpResponse {
    rooms.shelf.json("pipelines", || {
        serde_json::to_vec(&rooms.listing.pipelines()).unwrap_or_default()
    })
}
