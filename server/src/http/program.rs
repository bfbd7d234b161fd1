//! What is on air: `/stream.mjpeg`, `/snapshot.jpg`, `/api/program`.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::timeout;

use super::Rooms;
use super::caller::Caller;
use super::error::ApiError;
use super::events::{answer, event_of};
use super::snapshot;
use super::stream::{Query, answer_with, head_of};
use crate::fanout::ndi::MirrorState;
use crate::program::{LONGEST_FADE, ProgramState};
use crate::refusal::Refusal;

/// A cut is made within moments, or never: another one came after it, or its session has ended.
const PATIENCE: Duration = Duration::from_secs(1);

/// `PUT /api/program`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// Who is to be on air; `null` lets `--follow` choose.
    session: Option<String>,
    /// How long the cross-fade takes; 0 cuts.
    #[serde(default)]
    fade_ms: u64,
}

/// `GET /api/program`.
#[derive(Serialize, JsonSchema)]
pub struct OnAir {
    #[serde(flatten)]
    program: ProgramState,
    /// It as an NDI source, where the operator named one.
    ndi: Option<MirrorState>,
}

/// The program as multipart MJPEG, with all that a session's stream can do.
pub async fn stream(
    rooms: web::Data<Rooms>,
    request: HttpRequest,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    let program = &rooms.program;
    answer_with(
        &rooms,
        &request,
        &query,
        program.screen(),
        program.end_signal(),
    )
}

/// `HEAD`: the headers alone.
pub async fn head(
    rooms: web::Data<Rooms>,
    request: HttpRequest,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    head_of(&rooms, &request, &query)
}

/// The newest picture on air.
pub async fn picture(rooms: web::Data<Rooms>) -> Result<HttpResponse, ApiError> {
    snapshot::of(rooms.program.screen(), rooms.program.end_signal()).await
}

/// Who is on air, and who watches.
pub async fn show(rooms: web::Data<Rooms>) -> web::Json<OnAir> {
    let mirrors = rooms.mirrors.as_ref();
    web::Json(OnAir {
        program: rooms.program.state(),
        ndi: mirrors.map(|mirrors| mirrors.program().report()),
    })
}

/// Cuts or fades to a session.
pub async fn cut(
    rooms: web::Data<Rooms>,
    body: web::Json<Cut>,
) -> Result<web::Json<OnAir>, ApiError> {
    let fade = Duration::from_millis(body.fade_ms);
    if fade > LONGEST_FADE {
        let most = LONGEST_FADE.as_millis();
        let reason = format!("`fade_ms` is {}, and at most {most}", body.fade_ms);
        return Err(Refusal::new("bad_fade", reason).into());
    }
    let session = body.session.as_deref().map(|key| rooms.session(key));
    let mut on_air = rooms.program.on_air();
    let wanted = session.transpose()?;
    rooms.program.pin(wanted.as_deref(), fade);
    if let Some(session) = &wanted {
        // Answered when the cut is made, which is on the next turn of its loop.
        let made = on_air.wait_for(|there| there.as_deref() == Some(&session.key));
        let _ = timeout(PATIENCE, made).await;
    }
    Ok(show(rooms).await)
}

/// Who is on air, now and at each change, as server-sent events.
pub async fn events(
    rooms: web::Data<Rooms>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let place = rooms.place_to_listen()?;
    let mut on_air = rooms.program.on_air();
    on_air.mark_changed();
    let ended = Box::pin(Caller::of(&request).until(rooms.program.end_signal()));
    let body = stream::unfold((on_air, ended), |(mut on_air, mut ended)| async move {
        tokio::select! {
            changed = on_air.changed() => changed.ok()?,
            () = &mut ended => return None,
        }
        let message = json!({"status": "program", "session": *on_air.borrow_and_update()});
        Some((event_of(&message), (on_air, ended)))
    });
    Ok(answer(body, place))
}
