//! Every route on one screen, and what is said of it: the server and its OpenAPI document are made from this table.

use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::error::ApiError;
use super::operation::{Answer, Body, Needed, Operation};
use super::{
    assets, compat, events, frames, gate, generate, health, json_config, login, metrics, openapi,
    osc, program, sessions, share, snapshot, sources, state, stream,
};
use crate::access::Right;
use crate::listing;
use crate::session::SessionState;

use Answer::{Events, Html, Jpeg, Json, Nothing, Socket, Stream, Text};
use Body::{Empty, Picture};
use Needed::{No, Yes};

/// The most bytes of a body that is a key, or a signed right.
const KEY: usize = 8 << 10;

/// The most bytes of one that has parameters: two prompts of 4,000 characters fit, though each be written as the two halves of a
/// surrogate pair (RFC 8259, 7), and all that stands beside them.
const PARAMS: usize = 128 << 10;

/// The most bytes of any other: names and numbers.
const WORDS: usize = 8 << 10;

/// What each route asks for: nothing, or the right of a viewer, a player, an operator.
const ANY: Option<Right> = None;
const V: Option<Right> = Some(Right::Viewer);
const P: Option<Right> = Some(Right::Player);
const O: Option<Right> = Some(Right::Operator);

#[rustfmt::skip]
macro_rules! operation {
    ($right:ident $method:ident $path:literal $(? $query:path,)? $handler:path, $body:expr => $answer:expr, $says:literal) => {
        Operation {
            method: stringify!($method), path: $path, route: || web::$method().to($handler), says: $says,
            query: &[$(schema::<$query>)?], body: $body, answer: $answer, right: $right,
        }
    };
}

#[rustfmt::skip]
pub const OPERATIONS: &[Operation] = &[
    operation!(ANY get "/health" health::health, Empty => Json(200, schema::<health::Health>), "The process answers"),
    operation!(ANY get "/readyz" health::ready, Empty => Json(200, schema::<health::Ready>), "Whether the first row is loaded and has made one frame"),
    operation!(O get "/metrics" metrics::metrics, Empty => Text, "What the server counts, for Prometheus"),
    operation!(ANY get "/api/me" login::me, Empty => Json(200, schema::<login::Me>), "What the caller may do"),
    operation!(ANY post "/api/login" login::login, Body::Json(schema::<login::Login>, Yes, KEY) => Nothing, "A cookie for a key, or for a signed right"),
    operation!(ANY delete "/api/login" login::logout, Empty => Nothing, "The cookie away again"),
    operation!(V get "/api/pipelines" health::pipelines, Empty => Json(200, schema::<listing::Pipelines>), "What there is to paint with: rows, parameter schemas, defaults"),
    operation!(V get "/api/openapi.json" openapi::document, Empty => Json(200, openapi::any_object), "This document"),
    operation!(V get "/api/docs" openapi::page, Empty => Html, "This document as a page"),
    operation!(V get "/api/osc" osc::addresses, Empty => Html, "The addresses that OSC has here"),
    operation!(P post "/api/generate" ? generate::Query, generate::generate, Picture(No) => Jpeg, "Paints one picture; row and parameters stand in the query"),
    operation!(O get "/api/sources" sources::sources, Empty => Json(200, schema::<sources::Open>), "What the server reads by itself, and how it stands"),
    operation!(O get "/api/sources/ndi" sources::ndi, Empty => Json(200, schema::<sources::Found>), "The NDI sources of the network"),
    operation!(O get "/api/state" state::state, Empty => Json(200, schema::<state::Everything>), "Every session and each of its viewers, for operators"),
    operation!(O delete "/api/state/{key}" state::end, Empty => Nothing, "Ends anybody's session, for operators"),
    operation!(O get "/api/sessions" sessions::list, Empty => Json(200, schema::<sessions::List>), "What runs, with statistics"),
    operation!(P post "/api/sessions" sessions::create, Body::Json(schema::<sessions::Create>, No, PARAMS) => Json(201, schema::<sessions::Created>), "Begins a session; `control` is the token that steers it"),
    operation!(V get "/api/sessions/{key}" sessions::show, Empty => Json(200, schema::<SessionState>), "One session, with statistics"),
    operation!(P patch "/api/sessions/{key}" sessions::change, Body::Json(schema::<sessions::Change>, Yes, WORDS) => Json(200, schema::<sessions::Changed>), "Another row or label, or the switch on air, while live"),
    operation!(P delete "/api/sessions/{key}" sessions::delete, Empty => Nothing, "Ends a session"),
    operation!(P patch "/api/sessions/{key}/params" sessions::params, Body::Json(openapi::any_params, Yes, PARAMS) => Json(200, openapi::any_params), "Changes parameters; answers the whole checked set"),
    operation!(P post "/api/sessions/{key}/frame" sessions::frame, Picture(Yes) => Json(202, schema::<sessions::Accepted>), "One picture in"),
    operation!(P get "/api/sessions/{key}/frames" frames::frames, Empty => Socket, "Pictures in, painted JPEGs out, as binary messages"),
    operation!(V get "/api/sessions/{key}/events" events::events, Empty => Events, "What a session says: statistics, reports, refusals"),
    operation!(V get "/api/sessions/{key}/stream.mjpeg" stream::stream, Empty => Stream, "What a session shows"),
    operation!(V head "/api/sessions/{key}/stream.mjpeg" stream::head, Empty => Stream, "The headers alone"),
    operation!(V get "/api/sessions/{key}/snapshot.jpg" snapshot::snapshot, Empty => Jpeg, "The newest picture of a session"),
    operation!(V head "/api/sessions/{key}/snapshot.jpg" snapshot::snapshot, Empty => Jpeg, "The headers alone"),
    operation!(P get "/api/share" ? share::Query, share::share, Empty => Json(200, schema::<share::Share>), "A signed right to watch the session that the query names, for twelve hours"),
    operation!(V get "/api/program" program::show, Empty => Json(200, schema::<program::OnAir>), "Who is on air, and who watches"),
    operation!(O put "/api/program" program::cut, Body::Json(schema::<program::Cut>, Yes, WORDS) => Json(200, schema::<program::OnAir>), "Cuts or fades to a session, for operators"),
    operation!(V get "/api/program/events" program::events, Empty => Events, "Who is on air, now and at each change"),
    operation!(V get "/stream.mjpeg" program::stream, Empty => Stream, "What is on air"),
    operation!(V head "/stream.mjpeg" program::head, Empty => Stream, "The headers alone"),
    operation!(V get "/snapshot.jpg" program::picture, Empty => Jpeg, "The newest picture on air"),
    operation!(V head "/snapshot.jpg" program::picture, Empty => Jpeg, "The headers alone"),
    // The wire of the Real-Time Latent Consistency Model server.
    operation!(P get "/api/ws/{key}" ? compat::lcm_server::Query, compat::lcm_server::socket, Empty => Socket, "Begins the session of that name and steers it, as the Real-Time LCM server's page does"),
    operation!(V get "/api/stream/{key}" stream::stream, Empty => Stream, "A session's stream under that server's name"),
    operation!(V head "/api/stream/{key}" stream::head, Empty => Stream, "The headers alone"),
    operation!(V get "/api/queue" compat::lcm_settings::queue, Empty => Json(200, schema::<compat::lcm_settings::Queue>), "How many sessions run"),
    operation!(V get "/api/settings" compat::lcm_settings::settings, Empty => Json(200, schema::<compat::lcm_settings::Settings>), "The first row, as that server's page draws it"),
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
        let limit = at(path).find_map(|operation| match operation.body {
            Body::Json(.., limit) => Some(limit),
            _ => None,
        });
        let routes = at(path).map(|operation| (operation.route)());
        let resource = routes
            .fold(web::resource(path), Resource::route)
            .app_data(json_config(limit.unwrap_or_default()))
            .default_service(web::route().to(wrong_method));
        // Here and not before the routing, which reads a path in more than one spelling.
        let guard = from_fn(move |request, next| gate::gate(at(path).collect(), request, next));
        app.service(resource.wrap(guard));
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
