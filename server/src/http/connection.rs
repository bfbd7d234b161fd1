//! What is known of a connection from the moment it is accepted.

use std::any::Any;
use std::sync::Mutex;
#[cfg(target_os = "linux")]
use std::time::Duration;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use socket2::{SockRef, Socket};

use crate::lock::lock;

/// What the kernel may hold unsent for one viewer: at 200 kB/s a viewer of a server without this limit sees 13 s of the
/// past, with it less than one.
const UNSENT_BYTES: u32 = 16 << 10;

/// A body is asked for more only when all before it, its head included, has been given to the kernel: a stream may then
/// go on by itself on [`Connection::second_handle`]. It is the least that actix allows.
pub const WRITE_BUFFER_BYTES: usize = 1;

/// A plain connection's socket, once more.
pub struct Connection(Mutex<Option<Socket>>);

impl Connection {
    /// A handle to write on beside actix's, for one stream, which is the last thing on a connection.
    pub fn second_handle(&self) -> Option<tokio::net::TcpStream> {
        let socket = lock(&self.0).take()?;
        tokio::net::TcpStream::from_std(socket.into()).ok()
    }
}

/// Called for each connection as it is accepted.
pub fn accepted(connection: &dyn Any, extensions: &mut Extensions) {
    if let Some(stream) = connection.downcast_ref::<TcpStream>() {
        keep_little_unsent(SockRef::from(stream));
        if let Ok(socket) = SockRef::from(stream).try_clone() {
            extensions.insert(Connection(Mutex::new(Some(socket))));
        }
    } else if let Some(tls) = connection.downcast_ref::<TlsStream<TcpStream>>() {
        keep_little_unsent(SockRef::from(tls.get_ref().0));
    }
}

/// A peer that takes nothing for so long is gone, though its network never said so.
#[cfg(target_os = "linux")]
const GONE: Duration = Duration::from_secs(60);

/// What waits in the kernel is a picture of the past.
fn keep_little_unsent(socket: SockRef<'_>) {
    #[cfg(target_os = "linux")]
    if let Err(error) = socket.set_tcp_notsent_lowat(UNSENT_BYTES) {
        tracing::debug!("no limit on unsent bytes: {error}");
    }
    #[cfg(target_os = "linux")]
    if let Err(error) = socket.set_tcp_user_timeout(Some(GONE)) {
        tracing::debug!("no limit on silence: {error}");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (socket, UNSENT_BYTES);
}
