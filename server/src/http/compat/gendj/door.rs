//! Who may use these ports. They know no keys, so any page that a user visits could steer what runs on the user's machine, and
//! here already a `GET`, for which a picture's address is enough, sets something.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, ORIGIN};
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError, web};

use super::Shared;
use crate::http::error::ApiError;
use crate::http::host;

/// What a browser says of a request for which it names no origin (<https://www.w3.org/TR/fetch-metadata>).
const SITE: &str = "sec-fetch-site";

/// Turns away pages from elsewhere, and requests for another machine's name.
pub async fn door(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let shared = request.app_data::<web::Data<Shared>>();
    let access = &shared.expect("both ports have it").rooms.access;
    let foreign = || is_foreign(request.headers()).then(ApiError::foreign);
    let refusal = host::refusal(request.request(), access).or_else(foreign);
    match refusal {
        Some(error) => Ok(request.into_response(error.error_response())),
        None => Ok(next.call(request).await?.map_into_boxed_body()),
    }
}

/// Whether a page from elsewhere asks. What is no browser says neither an origin nor a site.
fn is_foreign(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else {
        return headers.get(SITE).is_some_and(|site| site == "cross-site");
    };
    let host = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.split_once("://"))
        .map(|(_, host)| host.rsplit_once(':').map_or(host, |(host, _)| host));
    !matches!(host, Some("localhost" | "127.0.0.1" | "[::1]"))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn foreign(headers: &[(&str, &str)]) -> bool {
        let request = headers
            .iter()
            .fold(TestRequest::default(), |request, header| {
                request.insert_header(*header)
            });
        is_foreign(request.to_http_request().headers())
    }

    #[test]
    fn only_pages_of_this_machine_may_ask() {
        for near in [
            "http://localhost:3000",
            "http://127.0.0.1:5173",
            "http://[::1]:80",
        ] {
            assert!(!foreign(&[("origin", near)]), "{near}");
            // To a browser these three are other sites to each other.
            assert!(!foreign(&[("origin", near), (SITE, "cross-site")]));
        }
        for far in [
            "https://example.com",
            "null",
            "http://localhost.example.com:80",
            "http://127.0.0.1.example.com",
        ] {
            assert!(foreign(&[("origin", far)]), "{far}");
            assert!(foreign(&[("origin", far), (SITE, "same-origin")]));
        }
        assert!(foreign(&[(SITE, "cross-site")]), "a picture in a page");
        for near in ["same-origin", "same-site", "none"] {
            assert!(!foreign(&[(SITE, near)]), "{near}");
        }
        assert!(!foreign(&[]), "no browser");
    }
}
