//! The page: ours from inside the binary, or the operator's from a folder.

use std::borrow::Cow;
use std::path::{Component, Path};

use actix_web::http::Method;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use serde_json::{Map, Value};

use super::Rooms;
use super::error::ApiError;

const PRESETS: &str = "presets.json";

#[cfg(feature = "frontend")]
#[derive(rust_embed::RustEmbed)]
#[folder = "../frontend/dist"]
struct Page;

#[cfg(not(feature = "frontend"))]
struct Page;

#[cfg(not(feature = "frontend"))]
impl Page {
    fn get(path: &str) -> Option<Placeholder> {
        (path == "index.html").then_some(Placeholder {
            data: PLACEHOLDER.into(),
        })
    }
}

#[cfg(not(feature = "frontend"))]
struct Placeholder {
    data: Cow<'static, [u8]>,
}

/// Served by a build without the feature `frontend`.
#[cfg(not(feature = "frontend"))]
const PLACEHOLDER: &[u8] =
    b"<!doctype html><html lang=en><title>Limn</title><p>This server was built without its page. \
    <a href=/api/pipelines>Pipelines</a>";

/// The presets that ship with the page: name and values; none where the page has no such file.
pub fn presets(frontend: Option<&Path>) -> Vec<(String, Map<String, Value>)> {
    let file = match frontend {
        Some(folder) => std::fs::read(folder.join(PRESETS)).ok(),
        None => Page::get(PRESETS).map(|file| file.data.into_owned()),
    };
    let file: Value = file
        .and_then(|file| serde_json::from_slice(&file).ok())
        .unwrap_or_default();
    let presets = file["presets"].as_array().into_iter().flatten();
    presets
        .filter_map(|preset| {
            let name = preset["name"].as_str()?.to_owned();
            Some((name, preset["values"].as_object()?.clone()))
        })
        .collect()
}

/// Whatever no route takes: a file of the page.
pub async fn page(rooms: web::Data<Rooms>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let missing = || ApiError::no_route(request.path());
    if !matches!(*request.method(), Method::GET | Method::HEAD)
        || request.path().starts_with("/api/")
    {
        return Err(missing());
    }
    let path = match request.path().trim_start_matches('/') {
        "" => "index.html",
        "desk" => "desk.html",
        path if path.starts_with("watch/") => "watch.html",
        path => path,
    };
    let bytes = match &rooms.frontend {
        Some(folder) => {
            let below = Path::new(path)
                .components()
                .all(|part| matches!(part, Component::Normal(_)));
            let file = folder.join(path);
            if !below {
                return Err(missing());
            }
            web::block(move || std::fs::read(file))
                .await
                .ok()
                .and_then(Result::ok)
                .ok_or_else(missing)?
                .into()
        }
        None => inside(path).ok_or_else(missing)?,
    };
    // Vite puts a hash of the content into the names under assets/.
    let cache = if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    Ok(HttpResponse::Ok()
        .content_type(content_type(path))
        .insert_header((CACHE_CONTROL, cache))
        .body(bytes))
}

/// A file that the binary holds: of one copy for all who ask for it.
fn inside(path: &str) -> Option<Bytes> {
    Some(match Page::get(path)?.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    })
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "webmanifest") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}

// Where there is a page, a build for tests reads it from its folder.
#[cfg(all(test, not(feature = "frontend")))]
mod tests {
    use super::*;

    #[test]
    fn all_get_the_same_copy() {
        let (one, two) = (inside("index.html").unwrap(), inside("index.html").unwrap());
        assert_eq!(one.as_ptr(), two.as_ptr());
        assert!(inside("nonesuch.html").is_none());
    }
}
