//! An answer on its way to whoever asked, and how many are under way on one connection.
//!
//! Over HTTP/2 a client may ask for anything any number of times and take nothing, and what it does not take is kept.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_web::body::{BodySize, BodyStream, BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use bytes::Bytes;
use futures_util::stream;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::Socket;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::connection::GONE;

/// The most answers under way on one connection of HTTP/2: the fewest that a server should allow (RFC 9113, 6.5.2), and the
/// most that browsers ask for.
pub const MOST: usize = 100;

/// Refusals are answers as well; a client that does not take so many of them is no browser.
const MOST_REFUSED: usize = 100;

/// The most answers to a connection that takes nothing. They are kept although their bodies are gone: h2 has them. It is let go
/// by actix when it has answered no ping for so long, at `--keep-alive`'s default.
const MOST_UNSENT: usize = 1000;
const PINGED: Duration = Duration::from_secs(10);

/// An answer of some length may take [`GONE`] and the time that it takes at so many bytes a second.
const SLOWEST: u64 = 10_000;

/// What is under way on one connection of HTTP/2.
pub struct Answers {
    count: Cell<usize>,
    /// How many began since the connection last took something, and since when they are counted.
    unsent: Cell<(usize, Instant)>,
    /// The connection's socket, once more, to end it by.
    socket: Socket,
}

impl Answers {
    /// None yet.
    pub fn new(socket: Socket) -> Rc<Self> {
        Rc::new(Self {
            count: Cell::new(0),
            unsent: Cell::new((0, Instant::now())),
            socket,
        })
    }

    /// One more; over [`MOST`] it should be a refusal.
    pub fn begin(self: &Rc<Self>) -> Begun {
        self.count.set(self.count.get() + 1);
        let (unsent, since) = self.unsent.get();
        self.unsent
            .set(if self.takes_something() || since.elapsed() > PINGED {
                (0, Instant::now())
            } else {
                (unsent + 1, since)
            });
        if self.count.get() > MOST + MOST_REFUSED || unsent > MOST_UNSENT {
            self.end();
        }
        Begun(Rc::clone(self))
    }

    /// Whether the kernel would take more for it.
    fn takes_something(&self) -> bool {
        let mut sockets = [PollFd::new(&self.socket, PollFlags::OUT)];
        poll(&mut sockets, Some(&Timespec::default())) != Ok(0)
    }

    fn end(&self) {
        // It may have gone by itself.
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
    }
}

/// One that is under way, until this is dropped.
pub struct Begun(Rc<Answers>);

impl Begun {
    /// Whether it is over the limit.
    pub fn is_one_too_many(&self) -> bool {
        self.0.count.get() > MOST
    }

    /// An answer's body that is under way until all of it is taken, or it is given up. One without end may be looked at for
    /// ever, as far as there are places for viewers; any other ends its connection when it is not taken.
    pub fn hold(self, body: BoxBody) -> BoxBody {
        let taken = match body.size() {
            BodySize::Sized(length) if length > 0 => Some(self.watch(length)),
            _ => None,
        };
        BoxBody::new(Held {
            body,
            _begun: self,
            _taken: taken,
        })
    }

    fn watch(&self, length: u64) -> oneshot::Sender<()> {
        let (taken, end) = oneshot::channel();
        let answers = Rc::clone(&self.0);
        let patience = GONE + Duration::from_secs(length / SLOWEST);
        actix_web::rt::spawn(async move {
            if timeout(patience, end).await.is_err() {
                answers.end();
            }
        });
        taken
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.0.count.set(self.0.count.get() - 1);
    }
}

struct Held {
    body: BoxBody,
    _begun: Begun,
    /// Whoever waits for it sees its end.
    _taken: Option<oneshot::Sender<()>>,
}

impl MessageBody for Held {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}

/// An answer over HTTP/1, where one follows the other. actix waits for a body until what stands before it was taken, and does
/// not wait where there is none: whoever asks for nothing again and again, and takes no answer, would fill the memory. So
/// there is one, with nothing in it.
pub fn in_turn(mut response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let size = response.response().body().size();
    if !matches!(size, BodySize::None | BodySize::Sized(0)) {
        return response;
    }
    // What can have no body has no end of it either.
    let bodiless = response.status() == StatusCode::NO_CONTENT;
    response.response_mut().head_mut().no_chunking(bodiless);
    let nothing = stream::empty::<Result<Bytes, actix_web::Error>>();
    response.map_body(|_, _| BoxBody::new(BodyStream::new(nothing)))
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::net::{TcpListener, TcpStream};

    fn connection() -> (Rc<Answers>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.set_nonblocking(true).unwrap();
        let server = listener.accept().unwrap().0;
        (Answers::new(server.into()), client)
    }

    fn is_open(client: &mut TcpStream) -> bool {
        std::io::Read::read(client, &mut [0; 1]).is_err()
    }

    #[test]
    fn whoever_takes_no_refusal_is_let_go() {
        let (answers, mut client) = connection();
        let begun: Vec<_> = (0..MOST).map(|_| answers.begin()).collect();
        assert!(!begun.iter().any(Begun::is_one_too_many));
        let refused: Vec<_> = (0..MOST_REFUSED).map(|_| answers.begin()).collect();
        assert!(refused.iter().all(Begun::is_one_too_many) && is_open(&mut client));
        drop(answers.begin());
        assert!(!is_open(&mut client));
        drop((begun, refused));
        assert_eq!(answers.count.get(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_taken_ends_its_connection_and_a_stream_does_not() {
        let local = tokio::task::LocalSet::new();
        local
            .run_until(async {
                let (answers, mut client) = connection();
                let taken = answers.begin().hold(BoxBody::new("words"));
                drop(taken);
                let endless = stream::pending::<Result<Bytes, actix_web::Error>>();
                let endless = BoxBody::new(BodyStream::new(endless));
                let _watched = answers.begin().hold(endless);
                tokio::time::sleep(GONE * 100).await;
                assert!(is_open(&mut client));
                let _left = answers.begin().hold(BoxBody::new(vec![0; 100_000]));
                tokio::time::sleep(GONE + Duration::from_secs(9)).await;
                assert!(is_open(&mut client));
                tokio::time::sleep(Duration::from_secs(2)).await;
                assert!(!is_open(&mut client));
            })
            .await;
    }
}
