//! The settings and queue routes of the Real-Time Latent Consistency Model server, derived from our own schemas.

use actix_web::web;
use limn_pipeline::Input;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::http::Rooms;
use crate::listing::Choice;

/// How many sessions run.
#[derive(Serialize, JsonSchema)]
pub struct Queue {
    queue_size: usize,
}

/// The first row, as that server describes its pipeline.
#[derive(Serialize, JsonSchema)]
pub struct Settings {
    info: Value,
    input_params: Value,
    max_queue_size: usize,
    /// HTML.
    page_content: String,
}

/// `GET /api/queue`: how many sessions run.
pub async fn queue(rooms: web::Data<Rooms>) -> web::Json<Queue> {
    web::Json(Queue {
        queue_size: rooms.store.len(),
    })
}

/// `GET /api/settings`: the row that new sessions start with, as that server's page draws it.
pub async fn settings(rooms: web::Data<Rooms>) -> web::Json<Settings> {
    let choice = rooms.listing.first();
    web::Json(Settings {
        info: info(choice),
        input_params: input_params(choice),
        max_queue_size: rooms.store.config().max_sessions,
        page_content: format!(
            "<h1>{}</h1><p>{}</p>",
            choice.row.title, choice.entry.info.summary
        ),
    })
}

fn info(choice: &Choice) -> Value {
    let property =
        |title: &str, default: &str| json!({"title": title, "type": "string", "default": default});
    json!({
        "title": "Info", "type": "object",
        "properties": {
            "name": property("Name", choice.row.id),
            "title": property("Title", choice.row.title),
            "description": property("Description", choice.entry.info.summary),
            "input_mode": property("Input Mode", if choice.input() == Input::Text { "text" } else { "image" }),
        },
    })
}

fn input_params(choice: &Choice) -> Value {
    let schema = choice.door.schema();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let properties: Map<_, _> = properties
        .map(|(name, property)| (name.clone(), control(name, property)))
        .collect();
    json!({"title": "InputParams", "type": "object", "properties": properties})
}

/// One control. A property without `field` is neither shown nor sent back.
fn control(name: &str, property: &Value) -> Value {
    let values = choices(property);
    let kind = if values.is_some() {
        "string"
    } else {
        property["type"].as_str().unwrap_or("string")
    };
    let field = match (property["x-field"].as_str(), kind) {
        (Some("hidden"), _) => None,
        (Some(field @ ("seed" | "textarea")), _) => Some(field),
        // The peer's page of 2025 ends in an error at any `select` (its `Selectlist.svelte` binds a value that has a
        // fallback to one that is not there yet), and then draws nothing. So choices keep their defaults on this wire.
        _ if values.is_some() => None,
        (_, "integer" | "number") => Some("range"),
        (_, "boolean") => Some("checkbox"),
        _ => Some("textarea"),
    };
    let mut control = Map::new();
    control.insert("default".into(), property["default"].clone());
    control.insert(
        "title".into(),
        property
            .get("title")
            .cloned()
            .unwrap_or_else(|| title(name).into()),
    );
    control.insert("type".into(), kind.into());
    control.insert("id".into(), name.into());
    if let Some(field) = field {
        control.insert("field".into(), field.into());
    }
    for (theirs, ours) in [("min", "minimum"), ("max", "maximum")] {
        if let Some(bound) = property.get(ours) {
            control.insert(theirs.into(), bound.clone());
        }
    }
    if kind == "integer" || kind == "number" {
        let step = property
            .get("x-step")
            .or_else(|| property.get("multipleOf"))
            .cloned();
        control.insert(
            "step".into(),
            step.unwrap_or_else(|| {
                if kind == "integer" {
                    json!(1)
                } else {
                    json!(0.01)
                }
            }),
        );
    }
    if property["x-advanced"] == Value::Bool(true) {
        control.insert("hide".into(), true.into());
    }
    if let Some(values) = values {
        control.insert("values".into(), values.into());
    }
    Value::Object(control)
}

/// The names of a choice: `enum`, or `oneOf` with one `const` each.
fn choices(property: &Value) -> Option<Vec<Value>> {
    if let Some(values) = property["enum"].as_array() {
        return Some(values.clone());
    }
    property["oneOf"].as_array().map(|all| {
        all.iter()
            .filter_map(|one| one.get("const").cloned())
            .collect()
    })
}

/// `canny_low` as `Canny low`.
fn title(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_named_as_the_peers_page_draws_them() {
        let range = control(
            "strength",
            &json!({"type": "number", "default": 0.5, "minimum": 0.1, "maximum": 1.0}),
        );
        assert_eq!(
            (&range["field"], &range["min"], &range["step"]),
            (&json!("range"), &json!(0.1), &json!(0.01))
        );
        let choice = control(
            "edge",
            &json!({"oneOf": [{"const": "canny"}, {"const": "sobel"}], "default": "canny", "x-advanced": true}),
        );
        assert_eq!(
            (&choice["values"], &choice["default"]),
            (&json!(["canny", "sobel"]), &json!("canny"))
        );
        assert!(
            choice.get("field").is_none(),
            "the peer's page of 2025 cannot draw a select"
        );
        assert_eq!(
            control("canny_low", &json!({"type": "integer", "default": 1}))["title"],
            "Canny low"
        );
        assert!(
            control(
                "hidden",
                &json!({"type": "string", "x-field": "hidden", "default": ""})
            )
            .get("field")
            .is_none()
        );
    }
}
