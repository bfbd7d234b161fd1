//! `GET /api/sessions/{key}/snapshot.jpg`: the newest picture.

use std::time::Duration;

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, web};

use super::Rooms;
use super::error::ApiError;
use crate::picture::Picture;
use crate::screen::Screen;

/// How long a snapshot waits for a session's first picture.
const PATIENCE: Duration = Duration::from_secs(2);

/// The newest picture of a session, compressed for this reader if nobody else watches.
pub async fn snapshot(
    rooms: web::Data<Rooms>,
    key: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let session = rooms.session(&key)?;
    of(session.screen(), session.ended()).await
}

/// The newest picture of `screen`, if one comes before `ended` and while anybody would wait.
pub(super) async fn of(
    screen: &Screen,
    ended: impl Future<Output = ()>,
) -> Result<HttpResponse, ApiError> {
    let picture = tokio::select! {
        picture = screen.snapshot() => picture,
        () = ended => None,
        () = tokio::time::sleep(PATIENCE) => None,
    };
    Ok(answer(picture.ok_or_else(ApiError::no_picture)?))
}

/// A picture as an answer.
pub(super) fn answer(picture: Picture) -> HttpResponse {
    let jpeg = picture.jpeg;
    HttpResponse::Ok()
        .content_type("image/jpeg")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(("X-Timestamp", jpeg.captured.to_string()))
        .body(jpeg.bytes)
}
