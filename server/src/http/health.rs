//! Alive, ready, and what there is to paint with.

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::Rooms;
use crate::inference::Readiness;

/// `GET /health`: the process answers.
pub async fn health() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

/// `GET /readyz`: the first row is loaded and has made one frame, so that a new session paints at once.
pub async fn ready(rooms: web::Data<Rooms>) -> HttpResponse {
    let first = rooms.listing.first();
    let (status, reason) = match &*rooms.warm.borrow() {
        Readiness::Ready(_) => ("ready", None),
        Readiness::Loading => ("loading", None),
        Readiness::Failed(error) => ("failed", Some(error.to_string())),
    };
    let body = json!({"status": status, "row": first.row.id, "reason": reason});
    if status == "ready" {
        HttpResponse::Ok().json(body)
    } else {
        HttpResponse::ServiceUnavailable().json(body)
    }
}

/// `GET /api/pipelines`.
pub async fn pipelines(rooms: web::Data<Rooms>) -> HttpResponse {
    HttpResponse::Ok().json(rooms.listing.json())
}
