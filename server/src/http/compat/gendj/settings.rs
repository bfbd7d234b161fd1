//! Settings: a path each, with the value at its end.

use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::Shared;
use crate::http::error::ApiError;

/// What that page may set and what means nothing here: it wants an answer all the same.
const WITHOUT_MEANING: &[&str] = &[
    "batch_size",
    "fixed_seed",
    "mirror",
    "opacity",
    "debug",
    "compel",
    "directory",
];

pub fn configure(app: &mut ServiceConfig) {
    app.route("/prompt/{value:.*}", web::post().to(prompt))
        .route("/secondprompt/{value:.*}", web::post().to(second_prompt))
        .route("/blend/{value}", web::post().to(blend))
        .route("/{name}/{value:.*}", web::get().to(set))
        .default_service(web::route().to(other));
}

async fn prompt(
    shared: web::Data<Shared>,
    text: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    words(&shared, "prompt", text.into_inner())
}

async fn second_prompt(
    shared: web::Data<Shared>,
    text: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    words(&shared, "prompt_b", text.into_inner())
}

fn words(shared: &Shared, name: &str, text: String) -> Result<HttpResponse, ApiError> {
    match shared.set(name, text.into()) {
        Ok(()) => Ok(answer(&json!({"safety": "safe"}))),
        Err(refusal) if refusal.code == "blocked_words" => Ok(answer(&json!({"safety": "unsafe"}))),
        Err(refusal) => Err(refusal.into()),
    }
}

async fn blend(
    shared: web::Data<Shared>,
    value: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let share: Option<f64> = value
        .parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share));
    let Some(share) = share else {
        let message = "Blend value must be between 0 and 1";
        return Ok(answer(&json!({"status": "error", "message": message})));
    };
    shared.set("blend", share.into())?;
    Ok(answer(&json!({"status": "success", "blend": share})))
}

async fn set(
    shared: web::Data<Shared>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let (name, text) = path.into_inner();
    let value = serde_json::from_str(&text.to_lowercase()).unwrap_or(Value::from(text));
    match name.as_str() {
        "seed" | "steps" | "strength" => shared.set(&name, value)?,
        "passthrough" => shared.set_passthrough(value == true || value == 1),
        name if WITHOUT_MEANING.contains(&name) => {}
        _ => return Err(ApiError::no_route(request.path())),
    }
    Ok(answer(&json!({"status": "updated"})))
}

/// What a browser asks before it posts from another port; all else is not here.
async fn other(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    if request.method() == actix_web::http::Method::OPTIONS {
        return Ok(answer(&json!({})));
    }
    Err(ApiError::no_route(request.path()))
}

fn answer(body: &Value) -> HttpResponse {
    HttpResponse::Ok()
        // Pages from elsewhere were turned away at the door.
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header((ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"))
        .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, "*"))
        .json(body)
}
