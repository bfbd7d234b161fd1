//! `GET /metrics`.

use actix_web::{HttpResponse, web};

use super::Rooms;
use crate::inference::Readiness;
use crate::metrics::Now;

/// For Prometheus.
pub async fn metrics(rooms: web::Data<Rooms>) -> HttpResponse {
    let row = rooms.listing.first().row;
    let now = Now {
        sessions: rooms.store.len(),
        viewers: rooms.viewers(),
        players: rooms.store.players_waiting(),
        waiting: rooms.inference.waiting(),
        memory: rooms.inference.memory(),
        ready: matches!(&*rooms.warm.borrow(), Readiness::Ready(_)) && !rooms.inference.is_lost(),
        row: row.id,
        device: rooms.inference.device().device.clone(),
    };
    HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(rooms.metrics.text(&now))
}
