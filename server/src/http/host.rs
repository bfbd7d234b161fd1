//! Under which name the server was asked. Without keys on a loopback address it answers to names of this machine only: a page
//! that has its own name point here (DNS rebinding) is a stranger.

use actix_web::HttpRequest;
use actix_web::http::header::HOST;

use super::error::ApiError;
use crate::access::Access;

/// What a proxy says of whom it speaks for.
const FORWARDED: [&str; 6] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
];

/// Why a request is turned away where everybody may do everything: it asks for another machine's name, or comes by way of a proxy,
/// from which everybody seems to be of this machine.
pub fn refusal(request: &HttpRequest, access: &Access) -> Option<ApiError> {
    if !access.is_local() {
        return None;
    }
    if authority_of(request).is_some_and(|authority| !is_this_machine(host_of(authority))) {
        return Some(ApiError::unknown_host());
    }
    let headers = request.headers();
    let passed_on = FORWARDED.iter().any(|name| headers.contains_key(*name));
    passed_on.then(ApiError::behind_a_proxy)
}

/// What the client says it asked: over HTTP/2 it stands in the address.
pub fn authority_of(request: &HttpRequest) -> Option<&str> {
    let header = request.headers().get(HOST);
    let stated = request
        .uri()
        .authority()
        .map(|authority| authority.as_str());
    stated.or(header.and_then(|value| value.to_str().ok()))
}

/// Without the port.
pub fn host_of(authority: &str) -> &str {
    let end = match authority.rfind(']') {
        Some(bracket) => bracket + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    &authority[..end]
}

/// The names under which a keyless server on a loopback address is asked.
fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_read_without_its_port() {
        assert_eq!(host_of("localhost:7860"), "localhost");
        assert_eq!(host_of("[::1]:7860"), "[::1]");
        assert_eq!(host_of("show.example"), "show.example");
    }

    #[test]
    fn this_machine_has_few_names() {
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "[::1]"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "0.0.0.0",
            "",
            "localhost.evil",
        ] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
