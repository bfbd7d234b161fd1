//! Sessions over plain HTTP: begin, look, steer, feed, end.

use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use actix_web::{HttpRequest, HttpResponse, web};
use limn_pipeline::Unknown;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::caller::Caller;
use super::error::ApiError;
use super::{Rooms, counted};
use crate::refusal::Refusal;
use crate::session::SessionState;
use crate::session::event::EndReason;
use crate::session::label::Label;
use crate::session::wish::Wish;

/// `POST /api/sessions`.
#[derive(Deserialize, Default, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Create {
    pipeline: Option<String>,
    row: Option<String>,
    params: Map<String, Value>,
    /// At most 100 characters, and no control characters.
    label: Option<String>,
    source: Option<String>,
    /// What the server answered while there was no place; it keeps one's place in the line.
    ticket: Option<String>,
}

/// `PATCH /api/sessions/{key}`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    pipeline: Option<String>,
    row: Option<String>,
    /// At most 100 characters, and no control characters.
    label: Option<String>,
    on_air: Option<bool>,
}

/// A session that has begun.
#[derive(Serialize, JsonSchema)]
pub struct Created {
    id: String,
    /// What steers it; said here and nowhere else.
    control: String,
    /// The whole checked set.
    params: Map<String, Value>,
    urls: Urls,
}

#[derive(Serialize, JsonSchema)]
struct Urls {
    stream: String,
    snapshot: String,
    frame: String,
    params: String,
    events: String,
    socket: String,
}

/// What runs.
#[derive(Serialize, JsonSchema)]
pub struct List {
    sessions: Vec<SessionState>,
}

/// A session after a change.
#[derive(Serialize, JsonSchema)]
pub struct Changed {
    #[serde(flatten)]
    session: SessionState,
    /// The whole set; what the new row does not take is gone.
    params: Map<String, Value>,
}

/// Where a picture will be seen.
#[derive(Serialize, JsonSchema)]
pub struct Accepted {
    stream: String,
}

/// Begins a session; 201 with its name, its control token and its URLs. No body at all means the defaults; one that
/// cannot be read does not, so it is not left to an `Option`, which would take either for none.
pub async fn create(
    rooms: web::Data<Rooms>,
    request: HttpRequest,
    body: actix_web::Result<web::Json<Create>>,
) -> actix_web::Result<HttpResponse> {
    let headers = request.headers();
    let no_body = headers
        .get(CONTENT_LENGTH)
        .map_or(!headers.contains_key(TRANSFER_ENCODING), |length| {
            length == "0"
        });
    let Create {
        pipeline,
        row,
        params,
        label,
        source,
        ticket,
    } = if no_body {
        Create::default()
    } else {
        body?.into_inner()
    };
    let choice = rooms
        .listing
        .choose(row.as_deref().or(pipeline.as_deref()))
        .map_err(ApiError::from)?;
    // Checked before a place is taken, so that a refused patch begins nothing.
    choice
        .door
        .apply(choice.door.defaults(), &params, Unknown::Refuse)
        .map_err(ApiError::from)?;
    let label = named(label.as_deref())?;
    let source = source.filter(|source| source != "browser");
    let source = source
        .map(|source| rooms.source(&request, &source))
        .transpose()?;
    let session = rooms
        .store
        .create(Wish {
            source,
            ticket,
            from: counted(&request),
            lease: Caller::of(&request).lease(),
            ..Wish::of(choice)
        })
        .map_err(ApiError::from)?;
    if let Some(label) = label {
        session.set_label(label);
    }
    session
        .patch(&params, Unknown::Refuse)
        .map_err(ApiError::from)?;
    let below = |name: &str| format!("/api/sessions/{}/{name}", session.key);
    Ok(HttpResponse::Created().json(Created {
        id: session.key.clone(),
        control: session.control.reveal().to_owned(),
        params: session.params().as_map().clone(),
        urls: Urls {
            stream: below("stream.mjpeg"),
            snapshot: below("snapshot.jpg"),
            frame: below("frame"),
            params: below("params"),
            events: below("events"),
            socket: format!("/api/ws/{}", session.key),
        },
    }))
}

/// All sessions.
pub async fn list(rooms: web::Data<Rooms>) -> web::Json<List> {
    let all = rooms.store.all();
    web::Json(List {
        sessions: all.iter().map(|session| session.state()).collect(),
    })
}

/// One session.
pub async fn show(
    rooms: web::Data<Rooms>,
    key: web::Path<String>,
) -> Result<web::Json<SessionState>, ApiError> {
    Ok(web::Json(rooms.session(&key)?.state()))
}

/// Another row or label, or the switch "on air", while live.
pub async fn change(
    rooms: web::Data<Rooms>,
    key: web::Path<String>,
    body: web::Json<Change>,
) -> Result<web::Json<Changed>, ApiError> {
    let session = rooms.session(&key)?;
    let Change {
        pipeline,
        row,
        label,
        on_air,
    } = body.into_inner();
    // All of it is read before any of it is done.
    let label = named(label.as_deref())?;
    let choice = row.or(pipeline);
    let choice = choice.map(|name| rooms.listing.choose(Some(&name)));
    session.change(choice.transpose()?, label)?;
    if let Some(on_air) = on_air {
        session.agree(on_air);
    }
    Ok(web::Json(Changed {
        session: session.state(),
        params: session.params().as_map().clone(),
    }))
}

fn named(label: Option<&str>) -> Result<Option<Label>, ApiError> {
    Ok(label.map(str::parse).transpose()?)
}

/// A patch of parameters; answers the whole checked set.
pub async fn params(
    rooms: web::Data<Rooms>,
    key: web::Path<String>,
    body: web::Json<Map<String, Value>>,
) -> Result<HttpResponse, ApiError> {
    let set = rooms.session(&key)?.patch(&body, Unknown::Refuse)?;
    Ok(HttpResponse::Ok().json(set.as_map()))
}

/// One picture in: JPEG, PNG or WebP. 202 with the stream's path; what is wrong inside comes as an event.
pub async fn frame(
    rooms: web::Data<Rooms>,
    key: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let session = rooms.session(&key)?;
    let bytes = rooms.picture(body).await?;
    if bytes.is_empty() {
        return Err(Refusal::new("bad_picture", "the body is empty").into());
    }
    session.upload(Some(bytes));
    Ok(HttpResponse::Accepted().json(Accepted {
        stream: format!("/api/sessions/{}/stream.mjpeg", session.key),
    }))
}

/// Ends a session.
pub async fn delete(
    rooms: web::Data<Rooms>,
    key: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let session = rooms.session(&key)?;
    rooms.store.end(&session, EndReason::Left);
    Ok(HttpResponse::NoContent().finish())
}
