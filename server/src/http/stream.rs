//! `GET /api/sessions/{key}/stream.mjpeg`: the painted picture as multipart MJPEG, for any number of readers.

use actix_web::http::header::{CACHE_CONTROL, HeaderMap, USER_AGENT, X_CONTENT_TYPE_OPTIONS};
use actix_web::rt::net::TcpStream;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::Rooms;
use super::error::ApiError;
use crate::fanout::mjpeg::{CONTENT_TYPE, body};
use crate::fanout::wire::Wire;

/// What actix may write ahead for one viewer, beyond the picture in hand.
pub const WRITE_BUFFER_BYTES: usize = 16 << 10;

/// What the kernel may hold unsent for one viewer: at 200 kB/s a viewer of a server without this limit sees 13 s of the
/// past, with it less than one.
const UNSENT_BYTES: u32 = 16 << 10;

/// `?wire=browser|length|double`.
#[derive(Deserialize)]
pub struct Query {
    wire: Option<Wire>,
}

/// The stream. A new reader sees the newest picture at once; a slow one skips and is never behind.
pub async fn stream(
    rooms: web::Data<Rooms>,
    request: HttpRequest,
    key: web::Path<String>,
    query: web::Query<Query>,
) -> Result<HttpResponse, ApiError> {
    let session = rooms.session(&key)?;
    let wire = query.wire.unwrap_or_else(|| wire_for(request.headers()));
    let newest = session.newest();
    let feed = session.output().feed();
    // A viewer that stops reading is not looked at again until it leaves, so its body must not hold the session.
    let mut response = answer().streaming(body(feed, newest, wire, session.end_signal()));
    // An un-chunked body that ends with the connection is what old readers take.
    response.head_mut().no_chunking(true);
    Ok(response)
}

/// `HEAD`: the headers alone.
pub async fn head(
    rooms: web::Data<Rooms>,
    key: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    rooms.session(&key)?;
    // A stream has no length, and a HEAD must not give it one.
    let nothing = futures_util::stream::empty::<Result<bytes::Bytes, actix_web::Error>>();
    let mut response = answer().streaming(nothing);
    response.head_mut().no_chunking(true);
    Ok(response)
}

fn answer() -> actix_web::HttpResponseBuilder {
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
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &actix_web::http::header::HeaderValue| value.to_str().ok())
    };
    match text(actix_web::http::header::HeaderName::from_static(
        "sec-fetch-dest",
    )) {
        Some("image" | "document" | "iframe" | "object" | "embed") => Wire::Browser,
        Some(_) => Wire::Length,
        None if text(USER_AGENT).is_some_and(|agent| agent.starts_with("Mozilla/")) => {
            Wire::Browser
        }
        None => Wire::Length,
    }
}

/// Called for each connection as it is accepted: what waits in the kernel is a picture of the past.
pub fn keep_little_unsent(connection: &dyn std::any::Any, _: &mut actix_web::dev::Extensions) {
    let plain = connection.downcast_ref::<TcpStream>();
    let tls = connection.downcast_ref::<actix_tls::accept::rustls_0_23::TlsStream<TcpStream>>();
    let Some(stream) = plain.or_else(|| tls.map(|tls| tls.get_ref().0)) else {
        return;
    };
    #[cfg(target_os = "linux")]
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_notsent_lowat(UNSENT_BYTES) {
        tracing::debug!("no limit on unsent bytes: {error}");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (stream, UNSENT_BYTES);
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

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
