//! Under which name the server was asked. Without keys on a loopback address it answers to names of this machine only: a page
//! that has its own name point here (DNS rebinding) is a stranger.

use actix_web::HttpRequest;
use actix_web::http::header::HOST;

use crate::access::Access;

/// Whether the client asks for another machine's name, where that matters.
pub fn is_unknown(request: &HttpRequest, access: &Access) -> bool {
    access.is_local()
        && authority_of(request).is_some_and(|authority| {
            let host = host_of(authority);
            !is_this_machine(host) && !access.is_hostname(host)
        })
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
