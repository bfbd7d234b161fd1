//! `GET /api/sessions/{key}/stream.mjpeg`: what a session shows as multipart MJPEG, for any number of readers.

use std::sync::Arc;

use actix_web::http::header::{
    CACHE_CONTROL, HeaderMap, HeaderName, USER_AGENT, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use serde::Deserialize;

use super::Rooms;
use super::connection::Connection;
use super::error::ApiError;
use crate::fanout::mjpeg::{CONTENT_TYPE, Straight, body};
use crate::fanout::viewer::{View, Viewer};
use crate::fanout::wire::Wire;
use crate::picture::Rendition;
use crate::session::Session;

/// What a viewer may ask for behind the `?`.
#[derive(Deserialize)]
pub struct Query {
    wire: Option<Wire>,
    fps: Option<f64>,
    quality: Option<u8>,
    width: Option<u32>,
    kbps: Option<u32>,
    #[serde(default)]
    times: Flag,
}

/// `?times`, `?times=1` and `?times=true` mean yes.
#[derive(Default, Deserialize)]
#[serde(from = "String")]
struct Flag(bool);

impl From<String> for Flag {
    fn from(text: String) -> Self {
        Self(!["0", "false", "no"].contains(&text.as_str()))
    }
}

impl Query {
    fn view(self, headers: &HeaderMap, rooms: &Rooms) -> Result<View, ApiError> {
        within("fps", self.fps, 0.1, 240.0)?;
        within("quality", self.quality, 1, 100)?;
        within("width", self.width, 16, 8192)?;
        within("kbps", self.kbps, 50, 10_000_000)?;
        let most = rooms.fanout.max_kbps;
        Ok(View {
            wire: self.wire.unwrap_or_else(|| wire_for(headers)),
            times: self.times.0,
            rendition: Rendition {
                width: self.width,
                quality: self.quality,
            },
            fps: self.fps,
            kbps: self.kbps.into_iter().chain(most).min(),
            drop_same: rooms.fanout.drop_same,
        })
    }
}

fn within<T: PartialOrd + Copy + std::fmt::Display>(
    name: &str,
    value: Option<T>,
    least: T,
    most: T,
) -> Result<(), ApiError> {
    match value {
        Some(value) if !(least..=most).contains(&value) => Err(ApiError::bad_request(format!(
            "`{name}` is `{value}`, and may be {least} to {most}"
        ))),
        _ => Ok(()),
    }
}

/// The stream. A new reader sees the newest picture at once; a slow one skips and is never behind.
pub async fn stream(
    rooms: web::Data<Rooms>,
    request: HttpRequest,
    key: web::Path<String>,
    query: web::Query<Query>,
) -> Result<HttpResponse, ApiError> {
    let session = rooms.session(&key)?;
    let view = query.into_inner().view(request.headers(), &rooms)?;
    let viewer = viewer(&session, view, &request, rooms.jpeg_quality)?;
    let mut response = match request
        .conn_data::<Connection>()
        .and_then(Connection::second_handle)
    {
        Some(socket) => answer().streaming(Straight::new(viewer, socket)),
        None => answer().streaming(body(viewer)),
    };
    // An un-chunked body that ends with the connection is what old readers take.
    response.head_mut().no_chunking(true);
    Ok(response)
}

fn viewer(
    session: &Arc<Session>,
    view: View,
    request: &HttpRequest,
    plain: u8,
) -> Result<Viewer, ApiError> {
    let address = request
        .peer_addr()
        .map_or_else(String::new, |address| address.ip().to_string());
    let seat = session.audience().sit(address, view.wire);
    let feed = session.renditions().watch(view.rendition)?;
    // A viewer that stops reading is not looked at again until it leaves, so it must not hold the session.
    let renditions = Arc::downgrade(session.renditions());
    let supply = Box::new(move |rendition| renditions.upgrade()?.watch(rendition).ok());
    Ok(Viewer::new(
        view,
        supply,
        feed,
        session.newest(),
        seat,
        session.end_signal(),
        plain,
    ))
}

/// `HEAD`: the headers alone.
pub async fn head(
    rooms: web::Data<Rooms>,
    request: HttpRequest,
    key: web::Path<String>,
    query: web::Query<Query>,
) -> Result<HttpResponse, ApiError> {
    rooms.session(&key)?;
    query.into_inner().view(request.headers(), &rooms)?;
    // A stream has no length, and a HEAD must not give it one.
    let nothing = futures_util::stream::empty::<Result<bytes::Bytes, actix_web::Error>>();
    let mut response = answer().streaming(nothing);
    response.head_mut().no_chunking(true);
    Ok(response)
}

fn answer() -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .content_type(CONTENT_TYPE)
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header(("X-Accel-Buffering", "no"))
        .force_close();
    response
}

/// Browsers and players want opposite wires. `Sec-Fetch-Dest` is sent on https and localhost only, so a browser on a
/// plain-http LAN address is known by its `User-Agent`; a script of its page says `empty` or asks with `?wire=`.
fn wire_for(headers: &HeaderMap) -> Wire {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    match text(HeaderName::from_static("sec-fetch-dest")) {
        Some("image" | "document" | "iframe" | "object" | "embed") => Wire::Browser,
        Some(_) => Wire::Length,
        None if text(USER_AGENT).is_some_and(|agent| agent.starts_with("Mozilla/")) => {
            Wire::Browser
        }
        None => Wire::Length,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn wire(headers: &[(&'static str, &'static str)]) -> Wire {
        let map = headers.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        wire_for(&map.collect())
    }

    #[test]
    fn each_reader_gets_its_wire() {
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0";
        assert_eq!(
            wire(&[("sec-fetch-dest", "image"), ("user-agent", chrome)]),
            Wire::Browser
        );
        assert_eq!(
            wire(&[("sec-fetch-dest", "empty"), ("user-agent", chrome)]),
            Wire::Length
        );
        assert_eq!(wire(&[("user-agent", chrome)]), Wire::Browser);
        assert_eq!(wire(&[("user-agent", "Lavf/59.27.100")]), Wire::Length);
        assert_eq!(wire(&[]), Wire::Length);
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        let error = within("fps", Some(0.0), 0.1, 240.0).unwrap_err();
        assert_eq!(error.to_string(), "`fps` is `0`, and may be 0.1 to 240");
        assert!(within::<u32>("width", None, 16, 8192).is_ok());
    }
}
