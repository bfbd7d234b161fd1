//! Whether the hub answers at all, found out in five seconds: the crate that speaks to it waits for a connection for as
//! long as the system does, which can be minutes.

use std::env;
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use ureq::http::Uri;

use super::HubError;

const PATIENCE: Duration = Duration::from_secs(5);

/// The proxies of the environment, in the order in which the client takes them.
const PROXIES: [&str; 6] = [
    "ALL_PROXY",
    "all_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
];

/// Opens a connection to `endpoint`, or to the proxy in front of it, and closes it again.
pub(super) fn within_five_seconds(endpoint: &str) -> Result<(), HubError> {
    let proxy = PROXIES
        .iter()
        .find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()));
    connect(proxy.as_deref().unwrap_or(endpoint), PATIENCE)
}

fn connect(address: &str, patience: Duration) -> Result<(), HubError> {
    let unreachable = |reason: String| HubError::Unreachable {
        reason,
        endpoint: address.to_owned(),
    };
    let uri: Uri = address
        .parse()
        .map_err(|error| unreachable(format!("not an address: {error}")))?;
    let host = uri
        .host()
        .ok_or_else(|| unreachable("not an address: it has no host".to_owned()))?
        .to_owned();
    let port = uri
        .port_u16()
        .unwrap_or(if uri.scheme_str() == Some("http") {
            80
        } else {
            443
        });
    let (tell, told) = mpsc::channel();
    // On a thread of its own, for the look-up of the name knows no time limit; it ends with the look-up.
    thread::spawn(move || {
        let host = host.trim_matches(['[', ']']);
        let result = (host, port).to_socket_addrs().and_then(|found| {
            let mut last = std::io::Error::other("the name has no address");
            for address in found {
                match TcpStream::connect_timeout(&address, patience) {
                    Ok(_) => return Ok(()),
                    Err(error) => last = error,
                }
            }
            Err(last)
        });
        // Nobody listens any more when the patience ran out first.
        let _ = tell.send(result);
    });
    match told.recv_timeout(patience) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(unreachable(error.to_string())),
        Err(_) => Err(unreachable(format!(
            "no connection within {} s",
            patience.as_secs_f32()
        ))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_closed_port_is_said_at_once() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let error = connect(&format!("http://{closed}"), PATIENCE)
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("hub does not answer: ") && error.contains("refused"),
            "{error}"
        );
    }

    #[test]
    fn a_hub_that_drops_packets_costs_no_more_than_the_patience() {
        let patience = Duration::from_millis(200);
        let start = Instant::now();
        // 192.0.2.0/24 is kept for documents (RFC 5737): some networks refuse it at once, none answers.
        assert!(connect("https://192.0.2.1", patience).is_err());
        assert!(
            start.elapsed() < Duration::from_secs(2),
            "{:?}",
            start.elapsed()
        );
    }
}
