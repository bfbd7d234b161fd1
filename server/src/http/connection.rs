//! What is known of a connection from the moment it is accepted.

use std::any::Any;
use std::net::{IpAddr, Shutdown};
use std::rc::Rc;
use std::sync::Mutex;
use std::time::Duration;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use socket2::{SockRef, Socket, TcpKeepalive};

use super::answer::{Answers, Begun};
use crate::address::counted;
use crate::lock::lock;
use crate::tally::{Share, Tally};

/// What the kernel may hold unsent for one viewer: at 200 kB/s a viewer of a server without this limit sees 13 s of the
/// past, with it less than one.
const UNSENT_BYTES: u32 = 16 << 10;

/// A body is asked for more only when all before it, its head included, has been given to the kernel: a stream may then
/// go on by itself on [`Connection::second_handle`]. It is the least that actix allows.
pub const WRITE_BUFFER_BYTES: usize = 1;

/// A peer that takes nothing for so long is gone, though its network never said so.
pub const GONE: Duration = Duration::from_secs(60);

/// A connection, beside what actix has of it.
pub struct Connection {
    /// Its socket, once more, where it is plain.
    plain: Mutex<Option<Socket>>,
    /// What is asked on it, where that may be much at a time.
    answers: Option<Rc<Answers>>,
}

/// One of its address's connections, for as long as there is anything of it.
struct Place {
    _share: Share<IpAddr>,
}

impl Connection {
    /// A handle to write on beside actix's, for one stream, which is the last thing on a connection.
    pub fn second_handle(&self) -> Option<tokio::net::TcpStream> {
        let socket = lock(&self.plain).take()?;
        tokio::net::TcpStream::from_std(socket.into()).ok()
    }

    /// One more answer; `None` where one follows the other.
    pub fn begin_answer(&self) -> Option<Begun> {
        self.answers.as_ref().map(Answers::begin)
    }
}

/// Lets connections in, so many of one address.
#[derive(Clone)]
pub struct Porter {
    there: Tally<IpAddr>,
    /// 0 for no limit.
    most: usize,
}

impl Porter {
    /// At most so many of one address, 0 for no limit.
    pub fn new(most: usize) -> Self {
        Self {
            there: Tally::default(),
            most,
        }
    }

    /// Called for each connection as it is accepted, which over TLS is after the handshake.
    pub fn accepted(&self, connection: &dyn Any, extensions: &mut Extensions) {
        if let Some(stream) = connection.downcast_ref::<TcpStream>() {
            let socket = SockRef::from(stream);
            self.seat(&socket, extensions);
            extensions.insert(Connection {
                plain: Mutex::new(socket.try_clone().ok()),
                answers: None,
            });
        } else if let Some(tls) = connection.downcast_ref::<TlsStream<TcpStream>>() {
            let (stream, tls) = tls.get_ref();
            let socket = SockRef::from(stream);
            self.seat(&socket, extensions);
            let many = tls.alpn_protocol() == Some(b"h2");
            let again = if many { socket.try_clone().ok() } else { None };
            extensions.insert(Connection {
                plain: Mutex::default(),
                answers: again.map(Answers::new),
            });
        }
    }

    fn seat(&self, socket: &SockRef<'_>, extensions: &mut Extensions) {
        keep_little_unsent(socket);
        let peer = socket.peer_addr().ok();
        let peer = peer.and_then(|peer| peer.as_socket()).map(|peer| peer.ip());
        match self.place(peer) {
            Ok(place) => {
                extensions.insert(place);
            }
            // actix cannot be told to let it go, and finds it gone.
            Err(TooMany) => {
                let _ = socket.shutdown(Shutdown::Both);
            }
        }
    }

    /// `None` where nothing is counted.
    fn place(&self, peer: Option<IpAddr>) -> Result<Option<Place>, TooMany> {
        let Some(from) = peer.and_then(counted).filter(|_| self.most > 0) else {
            return Ok(None);
        };
        let share = self.there.take(from, self.most).ok_or(TooMany)?;
        Ok(Some(Place { _share: share }))
    }
}

/// Its address has as many connections as it may have.
struct TooMany;

/// What waits in the kernel is a picture of the past.
fn keep_little_unsent(socket: &SockRef<'_>) {
    #[cfg(target_os = "linux")]
    if let Err(error) = socket.set_tcp_notsent_lowat(UNSENT_BYTES) {
        tracing::debug!("no limit on unsent bytes: {error}");
    }
    #[cfg(target_os = "linux")]
    if let Err(error) = socket.set_tcp_user_timeout(Some(GONE)) {
        tracing::debug!("no limit on silence: {error}");
    }
    // Where nothing is sent nothing is missed.
    if let Err(error) = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(GONE)) {
        tracing::debug!("whoever goes without a word is not missed: {error}");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (socket, UNSENT_BYTES);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_connections_and_this_machine_any_number() {
        let porter = Porter::new(2);
        let from = |address: &str| porter.place(address.parse().ok());
        let one = from("192.0.2.1");
        let two = from("::ffff:192.0.2.1");
        assert!(one.is_ok() && two.is_ok());
        assert!(from("192.0.2.1").is_err());
        assert!(from("192.0.2.2").is_ok());
        for _ in 0..10 {
            assert!(matches!(from("127.0.0.1"), Ok(None)));
        }
        drop(one);
        assert!(from("192.0.2.1").is_ok());
        assert!(matches!(
            Porter::new(0).place("192.0.2.1".parse().ok()),
            Ok(None)
        ));
    }
}
