//! `GET /api/openapi.json` (OpenAPI 3.1, <https://spec.openapis.org/oas/v3.1.0>) and `/api/docs`, made from the table of routes
//! and the parameters' schemas.

use std::fmt::Write;

use actix_web::{HttpResponse, web};
use serde_json::{Map, Value, json};

use super::Rooms;
use super::leaflet::{escaped, leaflet};
use super::operation::{Answer, Body, Needed, Operation};
use super::routes::OPERATIONS;
use super::stream::NUMBERS;
use crate::fanout::wire::Wire;
use crate::listing::Listing;

/// The document.
pub async fn document(rooms: web::Data<Rooms>) -> HttpResponse {
    rooms
        .shelf
        .json("openapi", || made(&rooms.listing).to_string().into_bytes())
}

/// The same for people.
pub async fn page(rooms: web::Data<Rooms>) -> HttpResponse {
    rooms.shelf.page("docs", || drawn(&rooms.listing))
}

fn drawn(listing: &Listing) -> String {
    let mut page = String::from(
        "<p>The same for programs: <a href=/api/openapi.json>openapi.json</a>. What steers a session wants \
         <code>Authorization: Bearer CONTROL</code>, the token that beginning it answered.</p><table>\
         <tr><th>method<th>path<th>what<th>takes<th>gives",
    );
    for operation in OPERATIONS
        .iter()
        .filter(|operation| operation.method != "head")
    {
        let takes = match &operation.body {
            Body::Empty => "",
            Body::Json(..) => "JSON",
            Body::Picture(_) => "a picture",
        };
        let _ = write!(
            page,
            "<tr><td>{}<td><code>{}</code><td>{}<td>{takes}<td>{}",
            operation.method.to_uppercase(),
            operation.path,
            escaped(operation.says),
            media(&operation.answer).unwrap_or_default()
        );
    }
    page.push_str("</table><h2>Bodies and parameters</h2>");
    for (name, schema) in schemas(listing) {
        let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
        let (name, text) = (escaped(&name), escaped(&text));
        let _ = write!(
            page,
            "<details><summary><code>{name}</code></summary><pre>{text}</pre></details>"
        );
    }
    leaflet("API", &page)
}

/// A patch to any row's parameters; which are taken, the session's row says.
pub fn any_params() -> Value {
    json!({"type": "object", "description": "Some of the row's parameters; `/api/pipelines` has their schemas"})
}

/// Some document.
pub fn any_object() -> Value {
    json!({"type": "object"})
}

fn made(listing: &Listing) -> Value {
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = described(operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Limn", "version": env!("CARGO_PKG_VERSION"),
            "description": "Live video, repainted by a diffusion pipeline: pictures in, MJPEG out.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas(listing),
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "A key of the server's, where it asks for one"},
                "control": {"type": "http", "scheme": "bearer", "description": "A session's `control`"},
            },
        },
    })
}

/// What errors and the rows' parameters look like.
fn schemas(listing: &Listing) -> Map<String, Value> {
    let params = listing.rows().map(|choice| {
        let name = format!("Params-{}", choice.row.id);
        (name, choice.door.schema().clone())
    });
    std::iter::once(("Error".to_owned(), error()))
        .chain(params)
        .collect()
}

fn described(operation: &Operation) -> Value {
    let mut described = json!({
        "summary": operation.says,
        "operationId": format!("{} {}", operation.method, operation.path),
        "parameters": parameters(operation),
        "responses": responses(operation),
        // What is asked for depends on the server: without keys only a session's token, where one is steered.
        "security": [{}, {"key": []}, {"control": []}],
        "x-right": operation.right,
    });
    let (content, needed) = match &operation.body {
        Body::Empty => return described,
        Body::Json(schema, needed, _) => {
            (json!({"application/json": {"schema": schema()}}), needed)
        }
        Body::Picture(needed) => {
            let bytes = json!({"schema": {}});
            (
                json!({"image/jpeg": bytes, "image/png": bytes, "image/webp": bytes}),
                needed,
            )
        }
    };
    described["requestBody"] = json!({"content": content, "required": *needed == Needed::Yes});
    described
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let mut parameters = Vec::new();
    if operation.path.contains("{key}") {
        parameters.push(json!({
            "name": "key", "in": "path", "required": true, "description": "A session's id",
            "schema": {"type": "string", "minLength": 1},
        }));
    }
    for query in operation.query {
        let schema = query();
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let properties = schema["properties"].as_object().into_iter().flatten();
        parameters.extend(properties.map(|(name, schema)| {
            json!({
                "name": name, "in": "query", "schema": schema, "required": required.contains(&json!(name)),
                "description": schema["description"],
                // An object stands there as its members.
                "style": "form", "explode": true,
            })
        }));
    }
    if matches!(operation.answer, Answer::Stream) {
        let asked = |name: &str, what: &str, schema: Value| json!({"name": name, "in": "query", "description": what, "schema": schema});
        parameters.extend(NUMBERS.iter().map(|number| {
            let kind = if number.whole { "integer" } else { "number" };
            let schema = json!({"type": kind, "minimum": number.least, "maximum": number.most});
            asked(number.name, number.says, schema)
        }));
        let wires = json!({"type": "string", "enum": Wire::ALL.map(Wire::name)});
        let times = json!({"type": "integer", "enum": [0, 1]});
        parameters.push(asked(
            "wire",
            "The framing; what the reader seems to want where it is left out",
            wires,
        ));
        parameters.push(asked(
            "times",
            "Headers that say when each picture was taken, painted, encoded and sent",
            times,
        ));
    }
    parameters
}

fn responses(operation: &Operation) -> Value {
    let status = match operation.answer {
        Answer::Json(status, _) => status,
        Answer::Socket => 101,
        Answer::Nothing => 204,
        _ => 200,
    };
    let mut answer = json!({"description": operation.says});
    if let Some(media) = media(&operation.answer).filter(|_| operation.method != "head") {
        let schema = match operation.answer {
            Answer::Json(_, schema) => schema(),
            _ => json!({}),
        };
        answer["content"] = json!({media: {"schema": schema}});
    }
    let mut refused = json!({"description": "What was wrong, for programs and for people"});
    if operation.method != "head" {
        let schema = json!({"$ref": "#/components/schemas/Error"});
        refused["content"] = json!({"application/json": {"schema": schema}});
    }
    // A server that is not ready says so in the words of a ready one.
    if operation.path == "/readyz" {
        refused["content"] = answer["content"].clone();
    }
    json!({status.to_string(): answer, "default": refused})
}

fn media(answer: &Answer) -> Option<&'static str> {
    match answer {
        Answer::Json(..) => Some("application/json"),
        Answer::Jpeg => Some("image/jpeg"),
        Answer::Stream => Some("multipart/x-mixed-replace"),
        Answer::Events => Some("text/event-stream"),
        Answer::Html => Some("text/html"),
        Answer::Text => Some("application/openmetrics-text"),
        Answer::Socket | Answer::Nothing => None,
    }
}

/// `{"error": {"code", "message", "hint"}}`.
fn error() -> Value {
    json!({
        "type": "object", "required": ["error"],
        "properties": {"error": {
            "type": "object", "required": ["code", "message", "hint"],
            "properties": {
                "code": {"type": "string", "description": "For programs; stays"},
                "message": {"type": "string", "description": "What was refused, and why"},
                "hint": {"type": ["string", "null"], "description": "What to do about it"},
            },
        }},
    })
}
