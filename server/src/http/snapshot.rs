//! `GET /api/sessions/{key}/snapshot.jpg`: the newest picture.

use std::time::Duration;

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, web};

use super::Rooms;
use super::error::ApiError;

/// How long a snapshot waits for a session's first picture.
const PATIENCE: Duration = Duration::from_secs(2);

/// The newest picture, compressed for this reader if nobody else watches.
pub async fn snapshot(
    rooms: web::Data<Rooms>,
    key: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let session = rooms.session(&key)?;
    let picture = tokio::select! {
        picture = session.snapshot() => picture,
        () = session.ended() => None,
        () = tokio::time::sleep(PATIENCE) => None,
    };
    let jpeg = picture.ok_or_else(ApiError::no_picture)?.jpeg;
    Ok(HttpResponse::Ok()
        .content_type("image/jpeg")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(("X-Timestamp", jpeg.captured.to_string()))
        .body(jpeg.bytes))
}
