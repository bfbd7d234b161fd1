//! What is kept of strangers' bytes until it is whole: only so much together, only so much of each, only for so long.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::{HttpMessage, HttpRequest};
use futures_util::{StreamExt, stream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::counted;
use super::error::ApiError;
use super::operation::Body;
use crate::ingest::IngestConfig;
use crate::tally::{Share, Tally};

/// Permits are counted in 32 bits, so a permit is for so many bytes.
const UNIT: usize = 4096;

/// Memory for JSON on its way in, all together. It is not that of pictures, so that a session can be steered, and ended, while
/// pictures fill theirs.
const JSON_BYTES: usize = 16 << 20;

/// How much of each is on its way at a time. A camera sends one picture after the other, and JSON is there in a moment: an
/// eighth of the memory is more than an office needs.
const PICTURES_OF_A_SESSION: usize = 1;
const PICTURES_OF_AN_ADDRESS: usize = 4;
const JSON_OF_AN_ADDRESS: usize = 16;

/// The most sockets at a time over which pictures come into one session.
const SOCKETS_OF_A_SESSION: usize = 4;

/// See the module.
pub struct Intake {
    largest_picture: usize,
    patience: Duration,
    pictures: Arc<Semaphore>,
    json: Arc<Semaphore>,
    senders: Tally<Sender>,
}

/// Whose it is; a session by its name.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Sender {
    Pictures(String),
    Sockets(String),
    PicturesFrom(IpAddr),
    JsonFrom(IpAddr),
}

/// Memory for a message.
pub struct Room(OwnedSemaphorePermit);

/// A socket's place among those of its session.
pub struct Place {
    _share: Share<Sender>,
}

impl Intake {
    /// Within the limits of `config`; whatever is not whole after `patience` is given up.
    pub fn new(config: &IngestConfig, patience: Duration) -> Self {
        let room = |bytes: usize| Arc::new(Semaphore::new(bytes / UNIT));
        Self {
            largest_picture: config.max_frame_bytes,
            patience,
            pictures: room(config.max_upload_bytes),
            json: room(JSON_BYTES),
            senders: Tally::default(),
        }
    }

    /// Makes room for the body of `request`, as long as it says to be, until it is whole. It ends with an error if that takes
    /// too long; see [`is_late`]. `session` is whose picture it would be.
    ///
    /// # Errors
    /// 429 if its sender has as much on its way as it may have, 503 if all have.
    pub fn admit(
        &self,
        request: &mut ServiceRequest,
        body: &Body,
        session: Option<&str>,
    ) -> Result<(), ApiError> {
        let limit = match body {
            Body::Empty => return Ok(()),
            Body::Json(_, _, limit) => *limit,
            Body::Picture(_) => self.largest_picture,
        };
        let length = stated_length(request.request()).unwrap_or(limit).min(limit);
        let payload = request.take_payload();
        if length == 0 || matches!(payload, Payload::None) {
            return Ok(());
        }
        let from = counted(request.request());
        let held = match body {
            Body::Picture(_) => self.picture(length, session, from)?,
            _ => self.json(length, from)?,
        };
        let payload = in_time(payload, Instant::now() + self.patience, held);
        request.set_payload(payload);
        Ok(())
    }

    fn picture(
        &self,
        length: usize,
        session: Option<&str>,
        from: Option<IpAddr>,
    ) -> Result<Held, ApiError> {
        let mut shares = Vec::new();
        if let Some(session) = session {
            let one = Sender::Pictures(session.to_owned());
            let one = self.senders.take(one, PICTURES_OF_A_SESSION);
            shares.push(one.ok_or_else(ApiError::session_uploads)?);
        }
        if let Some(from) = from {
            let one = self
                .senders
                .take(Sender::PicturesFrom(from), PICTURES_OF_AN_ADDRESS);
            shares.push(one.ok_or_else(|| ApiError::address_uploads(PICTURES_OF_AN_ADDRESS))?);
        }
        let room = Arc::clone(&self.pictures).try_acquire_many_owned(units(length));
        let room = room.map_err(|_| ApiError::too_many_uploads())?;
        Ok((room, shares))
    }

    fn json(&self, length: usize, from: Option<IpAddr>) -> Result<Held, ApiError> {
        let one = from.map(|from| {
            self.senders
                .take(Sender::JsonFrom(from), JSON_OF_AN_ADDRESS)
        });
        let shares = match one {
            Some(one) => vec![one.ok_or_else(|| ApiError::address_bodies(JSON_OF_AN_ADDRESS))?],
            None => Vec::new(),
        };
        let room = Arc::clone(&self.json).try_acquire_many_owned(units(length));
        let room = room.map_err(|_| ApiError::too_many_bodies())?;
        Ok((room, shares))
    }

    /// How large a picture may be.
    pub fn largest_picture(&self) -> usize {
        self.largest_picture
    }

    /// How long anything may be under way.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// Waits for room for a socket's message of so many bytes, `held` being what it has.
    pub async fn room(&self, bytes: u64, held: Option<Room>) -> Room {
        let wanted = units(usize::try_from(bytes).unwrap_or(usize::MAX));
        let have = held
            .as_ref()
            .map_or(0, |Room(held)| held.num_permits() as u32);
        let more = Arc::clone(&self.pictures).acquire_many_owned(wanted.saturating_sub(have));
        let mut more = more.await.expect("it is never closed");
        if let Some(Room(held)) = held {
            more.merge(held);
        }
        Room(more)
    }

    /// A place for a socket over which pictures come into that session.
    ///
    /// # Errors
    /// 429 if there are as many as there may be.
    pub fn socket(&self, session: &str) -> Result<Place, ApiError> {
        let one = Sender::Sockets(session.to_owned());
        let one = self.senders.take(one, SOCKETS_OF_A_SESSION);
        one.map(|share| Place { _share: share })
            .ok_or_else(|| ApiError::too_many_sockets(SOCKETS_OF_A_SESSION))
    }
}

/// The memory of a body, and its sender's shares.
type Held = (OwnedSemaphorePermit, Vec<Share<Sender>>);

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

fn stated_length(request: &HttpRequest) -> Option<usize> {
    let length = request.headers().get(CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

/// Has a body end with an error at `deadline`, and gives `held` back when it ends.
fn in_time(payload: Payload, deadline: Instant, held: Held) -> Payload {
    let body = stream::unfold(Some((payload, held)), move |there| async move {
        let (mut payload, held) = there?;
        match timeout_at(deadline, payload.next()).await {
            Ok(chunk) => Some((chunk?, Some((payload, held)))),
            Err(_) => {
                let late = std::io::Error::from(ErrorKind::TimedOut);
                Some((Err(PayloadError::Io(late)), None))
            }
        }
    });
    let payload = Box::pin(body);
    Payload::Stream { payload }
}

/// Whether a body ended since it took too long.
pub fn is_late(error: &PayloadError) -> bool {
    matches!(error, PayloadError::Io(error) if error.kind() == ErrorKind::TimedOut)
}

#[cfg(test)]
mod tests {
    use super::*;

    use actix_web::ResponseError;
    use actix_web::test::TestRequest;
    use serde_json::json;

    use crate::config::Config;
    use crate::http::operation::Needed;

    const PICTURE: Body = Body::Picture(Needed::Yes);
    const JSON: Body = Body::Json(|| json!({}), Needed::Yes, 128 << 10);

    fn intake() -> Intake {
        let config = Config::read(["server"]).unwrap();
        Intake::new(&config.ingest, Duration::from_secs(30))
    }

    /// A request whose body has begun; the status if it is refused.
    fn begin(
        intake: &Intake,
        body: &Body,
        from: &str,
        session: Option<&str>,
    ) -> Result<ServiceRequest, u16> {
        let request = TestRequest::post()
            .peer_addr(std::net::SocketAddr::new(from.parse().unwrap(), 4000))
            .set_payload("{".repeat(5000));
        let mut request = request.to_srv_request();
        match intake.admit(&mut request, body, session) {
            Ok(()) => Ok(request),
            Err(error) => Err(error.status_code().as_u16()),
        }
    }

    #[test]
    fn an_address_has_so_many_on_their_way_and_this_machine_any_number() {
        for (body, most) in [
            (&PICTURE, PICTURES_OF_AN_ADDRESS),
            (&JSON, JSON_OF_AN_ADDRESS),
        ] {
            let intake = intake();
            let from = |address: &str| begin(&intake, body, address, None);
            let mut under_way: Vec<_> = (0..most).map(|_| from("192.0.2.1").unwrap()).collect();
            assert_eq!(from("::ffff:192.0.2.1").err(), Some(429));
            assert!(from("192.0.2.2").is_ok());
            let here: Vec<_> = (0..100).map(|_| from("127.0.0.1")).collect();
            assert!(here.iter().all(Result::is_ok));
            under_way.pop();
            assert!(from("192.0.2.1").is_ok());
        }
    }

    #[test]
    fn a_session_has_one_picture_on_its_way() {
        let intake = intake();
        let of = |session: &str| begin(&intake, &PICTURE, "127.0.0.1", Some(session));
        let one = of("one").unwrap();
        assert_eq!(of("one").err(), Some(429));
        assert!(of("two").is_ok());
        drop(one);
        assert!(of("one").is_ok());
    }

    #[tokio::test]
    async fn what_is_whole_takes_no_more_room() {
        let intake = intake();
        let before = intake.pictures.available_permits();
        let mut request = begin(&intake, &PICTURE, "192.0.2.1", None).unwrap();
        assert_eq!(before - intake.pictures.available_permits(), 2);
        let mut payload = request.take_payload();
        assert_eq!(payload.next().await.unwrap().unwrap().len(), 5000);
        assert!(payload.next().await.is_none());
        assert_eq!(before, intake.pictures.available_permits());
    }
}
