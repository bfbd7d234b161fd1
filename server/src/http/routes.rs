//! Every route on one screen, and what is said of it: the server and its OpenAPI document are made from this table.

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource, Route};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::error::ApiError;
use super::{
    assets, compat, events, frames, generate, health, openapi, osc, program, sessions, snapshot,
    sources, state, stream,
};
use crate::listing;
use crate::session::SessionState;

/// What a request carries.
pub enum Body {
    /// Nothing.
    Empty,
    /// JSON after this schema; it may be left out where that is so.
    Json(fn() -> Value, Needed),
    /// The bytes of a JPEG, PNG or WebP.
    Picture(Needed),
}

/// Whether a body may be left out.
#[derive(PartialEq, Eq)]
pub enum Needed {
    /// It may not.
    Yes,
    /// It may.
    No,
}

/// What an answer is, if it is no error.
pub enum Answer {
    /// JSON after this schema, with this status.
    Json(u16, fn() -> Value),
    /// One picture.
    Jpeg,
    /// Multipart MJPEG without end.
    Stream,
    /// Server-sent events without end.
    Events,
    /// A WebSocket.
    Socket,
    /// A page.
    Html,
    /// 204.
    Nothing,
}

/// One route.
pub struct Operation {
    /// As OpenAPI writes it: `get`.
    pub method: &'static str,
    /// `{key}` is a session's id.
    pub path: &'static str,
    route: fn() -> Route,
    /// One sentence.
    pub says: &'static str,
    /// What it takes.
    pub body: Body,
    /// What it gives.
    pub answer: Answer,
}

use Answer::{Events, Html, Jpeg, Json, Nothing, Socket, Stream};
use Body::{Empty, Picture};
use Needed::{No, Yes};

#[rustfmt::skip]
macro_rules! operation {
    ($method:ident $path:literal $handler:path, $body:expr => $answer:expr, $says:literal) => {
        Operation { method: stringify!($method), path: $path, route: || web::$method().to($handler), says: $says, body: $body, answer: $answer }
    };
}

#[rustfmt::skip]
pub const OPERATIONS: &[Operation] = &[
    operation!(get "/health" health::health, Empty => Json(200, schema::<health::Health>), "The process answers"),
    operation!(get "/readyz" health::ready, Empty => Json(200, schema::<health::Ready>), "Whether the first row is loaded and has made one frame"),
    operation!(get "/api/pipelines" health::pipelines, Empty => Json(200, schema::<listing::Pipelines>), "What there is to paint with: rows, parameter schemas, defaults"),
    operation!(get "/api/openapi.json" openapi::document, Empty => Json(200, openapi::any_object), "This document"),
    operation!(get "/api/docs" openapi::page, Empty => Html, "This document as a page"),
    operation!(get "/api/osc" osc::addresses, Empty => Html, "The addresses that OSC has here"),
    operation!(post "/api/generate" generate::generate, Picture(No) => Jpeg, "Paints one picture; row and parameters stand in the query"),
    operation!(get "/api/sources" sources::sources, Empty => Json(200, schema::<sources::Open>), "What the server reads by itself, and how it stands"),
    operation!(get "/api/sources/ndi" sources::ndi, Empty => Json(200, schema::<sources::Found>), "The NDI sources of the network"),
    operation!(get "/api/state" state::state, Empty => Json(200, schema::<state::Everything>), "Every session and each of its viewers, for operators"),
    operation!(delete "/api/state/{key}" state::end, Empty => Nothing, "Ends anybody's session, for operators"),
    operation!(get "/api/sessions" sessions::list, Empty => Json(200, schema::<sessions::List>), "What runs, with statistics"),
    operation!(post "/api/sessions" sessions::create, Body::Json(schema::<sessions::Create>, No) => Json(201, schema::<sessions::Created>), "Begins a session; `control` is the token that steers it"),
    operation!(get "/api/sessions/{key}" sessions::show, Empty => Json(200, schema::<SessionState>), "One session, with statistics"),
    operation!(patch "/api/sessions/{key}" sessions::change, Body::Json(schema::<sessions::Change>, Yes) => Json(200, schema::<sessions::Changed>), "Another row or label, or the switch on air, while live"),
    operation!(delete "/api/sessions/{key}" sessions::delete, Empty => Nothing, "Ends a session"),
    operation!(patch "/api/sessions/{key}/params" sessions::params, Body::Json(openapi::any_params, Yes) => Json(200, openapi::any_params), "Changes parameters; answers the whole checked set"),
    operation!(post "/api/sessions/{key}/frame" sessions::frame, Picture(Yes) => Json(202, schema::<sessions::Accepted>), "One picture in"),
    operation!(get "/api/sessions/{key}/frames" frames::frames, Empty => Socket, "Pictures in, painted JPEGs out, as binary messages"),
    operation!(get "/api/sessions/{key}/events" events::events, Empty => Events, "What a session says: statistics, reports, refusals"),
    operation!(get "/api/sessions/{key}/stream.mjpeg" stream::stream, Empty => Stream, "What a session shows"),
    operation!(head "/api/sessions/{key}/stream.mjpeg" stream::head, Empty => Stream, "The headers alone"),
    operation!(get "/api/sessions/{key}/snapshot.jpg" snapshot::snapshot, Empty => Jpeg, "The newest picture of a session"),
    operation!(head "/api/sessions/{key}/snapshot.jpg" snapshot::snapshot, Empty => Jpeg, "The headers alone"),
    operation!(get "/api/program" program::show, Empty => Json(200, schema::<program::OnAir>), "Who is on air, and who watches"),
    operation!(put "/api/program" program::cut, Body::Json(schema::<program::Cut>, Yes) => Json(200, schema::<program::OnAir>), "Cuts or fades to a session, for operators"),
    operation!(get "/api/program/events" program::events, Empty => Events, "Who is on air, now and at each change"),
    operation!(get "/stream.mjpeg" program::stream, Empty => Stream, "What is on air"),
    operation!(head "/stream.mjpeg" program::head, Empty => Stream, "The headers alone"),
    operation!(get "/snapshot.jpg" program::picture, Empty => Jpeg, "The newest picture on air"),
    operation!(head "/snapshot.jpg" program::picture, Empty => Jpeg, "The headers alone"),
    // The wire of the Real-Time Latent Consistency Model server.
    operation!(get "/api/ws/{key}" compat::lcm_server::socket, Empty => Socket, "Begins the session of that name and steers it, as the Real-Time LCM server's page does"),
    operation!(get "/api/stream/{key}" stream::stream, Empty => Stream, "A session's stream under that server's name"),
    operation!(head "/api/stream/{key}" stream::head, Empty => Stream, "The headers alone"),
    operation!(get "/api/queue" compat::lcm_settings::queue, Empty => Json(200, schema::<compat::lcm_settings::Queue>), "How many sessions run"),
    operation!(get "/api/settings" compat::lcm_settings::settings, Empty => Json(200, schema::<compat::lcm_settings::Settings>), "The first row, as that server's page draws it"),
];

/// The schema of a body or an answer, whole: what it refers to stands in it.
fn schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

/// All routes, and the page for what no route takes.
pub fn configure(app: &mut ServiceConfig) {
    let mut paths: Vec<_> = OPERATIONS.iter().map(|operation| operation.path).collect();
    paths.dedup();
    for path in paths {
        let routes = at(path).map(|operation| (operation.route)());
        let resource = routes.fold(web::resource(path), Resource::route);
        app.service(resource.default_service(web::route().to(wrong_method)));
    }
    app.default_service(web::route().to(assets::page));
}

fn at(path: &str) -> impl Iterator<Item = &'static Operation> {
    OPERATIONS
        .iter()
        .filter(move |operation| operation.path == path)
}

async fn wrong_method(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let path = request.match_pattern().unwrap_or_default();
    let methods: Vec<_> = at(&path)
        .map(|operation| operation.method.to_uppercase())
        .collect();
    Err(ApiError::no_method(
        request.method().as_str(),
        &methods.join(", "),
    ))
}
