//! `GET /api/sessions/{key}/stream.mjpeg`: what a session shows as multipart MJPEG, for any number of readers.

use std::collections::HashMap;
use std::sync::Arc;

use actix_web::http::header::{CACHE_CONTROL, HeaderMap, HeaderName, USER_AGENT};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};

use super::Rooms;
use super::caller::Caller;
use super::connection::Connection;
use super::error::ApiError;
use crate::fanout::config::FanoutConfig;
use crate::fanout::mjpeg::{CONTENT_TYPE, Straight, body};
use crate::fanout::viewer::{View, Viewer};
use crate::fanout::wire::Wire;
use crate::picture::Rendition;
use crate::screen::Screen;

/// A number that a viewer may ask for behind the `?`.
pub(super) struct Number {
    pub name: &'static str,
    pub least: f64,
    pub most: f64,
    pub whole: bool,
    pub says: &'static str,
}

const WIDTH: Number = Number {
    name: "width",
    least: 16.0,
    most: 8192.0,
    whole: true,
    says: "Scaled down to so many pixels from left to right",
};
const QUALITY: Number = Number {
    name: "quality",
    least: 1.0,
    most: 100.0,
    whole: true,
    says: "JPEG quality",
};
const FPS: Number = Number {
    name: "fps",
    least: 0.1,
    most: 240.0,
    whole: false,
    says: "Exactly so many pictures a second, the last again where none is new",
};
const KBPS: Number = Number {
    name: "kbps",
    least: 50.0,
    most: 10_000_000.0,
    whole: true,
    says: "At most so many thousands of bits a second: quality goes first, then the rate",
};

/// All of them, for the OpenAPI document.
pub(super) const NUMBERS: [&Number; 4] = [&WIDTH, &QUALITY, &FPS, &KBPS];

impl Number {
    /// `None` where it is not asked for.
    fn of(&self, query: &Query) -> Result<Option<f64>, ApiError> {
        let Self {
            name, least, most, ..
        } = self;
        let Some(text) = query.get(*name) else {
            return Ok(None);
        };
        let value = if self.whole {
            text.parse::<u32>().ok().map(f64::from)
        } else {
            text.parse().ok()
        };
        match value.filter(|value| (least..=most).contains(&value)) {
            Some(value) => Ok(Some(value)),
            None => Err(ApiError::bad_request(format!(
                "`{name}` is `{text}`, and may be a number from {least} to {most}"
            ))),
        }
    }

    /// The same for a whole one.
    fn whole_of(&self, query: &Query) -> Result<Option<u32>, ApiError> {
        Ok(self.of(query)?.map(|value| value as u32))
    }
}

/// What stands behind the `?`. What is not known here is left alone: pages put numbers there against caches.
pub type Query = web::Query<HashMap<String, String>>;

/// How a viewer that asks so wants its stream.
///
/// # Errors
/// If a value is out of its bounds.
pub fn view(query: &Query, headers: &HeaderMap, fanout: &FanoutConfig) -> Result<View, ApiError> {
    let wire = query.get("wire").map(|name| {
        Wire::named(name).ok_or_else(|| {
            ApiError::bad_request(format!(
                "`wire` is `{name}`, and may be browser, length or double"
            ))
        })
    });
    let kbps = KBPS.whole_of(query)?;
    Ok(View {
        wire: wire.transpose()?.unwrap_or_else(|| wire_for(headers)),
        times: query.get("times").is_some_and(|value| value != "0"),
        rendition: Rendition {
            width: WIDTH.whole_of(query)?,
            quality: QUALITY.whole_of(query)?.map(|quality| quality as u8),
        },
        fps: FPS.of(query)?,
        kbps: kbps.into_iter().chain(fanout.max_kbps).min(),
        drop_same: fanout.drop_same,
    })
}

/// The stream. A new reader sees the newest picture at once; a slow one skips and is never behind.
pub async fn stream(
    rooms: web::Data<Rooms>,
    request: HttpRequest,
    key: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    let session = rooms.session(&key)?;
    // A viewer that stops reading is not looked at again until it leaves, so it must not hold the session.
    answer_with(
        &rooms,
        &request,
        &query,
        session.screen(),
        session.end_signal(),
    )
}

/// The answer that streams `screen` until `ended`, or until the viewer's key is revoked.
pub(super) fn answer_with(
    rooms: &Rooms,
    request: &HttpRequest,
    query: &Query,
    screen: &Screen,
    ended: impl Future<Output = ()> + Send + 'static,
) -> Result<HttpResponse, ApiError> {
    let mut view = view(query, request.headers(), &rooms.fanout)?;
    rooms.has_seat_at(screen)?;
    let seat = screen.audience().sit(request.peer_addr(), view.wire);
    let (rendition, feed) = screen.renditions().watch_or_plain(view.rendition);
    view.rendition = rendition;
    let renditions = Arc::downgrade(screen.renditions());
    let supply = Box::new(move |rendition| renditions.upgrade()?.watch(rendition));
    let plain = rooms.jpeg_quality;
    let ended = Caller::of(request).until(ended);
    let viewer = Viewer::new(view, supply, feed, screen.newest(), seat, ended, plain);
    let connection = request.conn_data::<Connection>();
    let mut answer = answer();
    answer.insert_header(("X-Limn-Rendition", rendition.to_string()));
    let mut response = match connection.and_then(Connection::second_handle) {
        Some(socket) => answer.streaming(Straight::new(viewer, socket)),
        None => answer.streaming(body(viewer)),
    };
    // An un-chunked body that ends with the connection is what old readers take.
    response.head_mut().no_chunking(true);
    Ok(response)
}

/// `HEAD`: the headers alone.
pub async fn head(
    rooms: web::Data<Rooms>,
    request: HttpRequest,
    key: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    rooms.session(&key)?;
    head_of(&rooms, &request, &query)
}

/// The headers of a stream that could be had.
pub(super) fn head_of(
    rooms: &Rooms,
    request: &HttpRequest,
    query: &Query,
) -> Result<HttpResponse, ApiError> {
    view(query, request.headers(), &rooms.fanout)?;
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
}
