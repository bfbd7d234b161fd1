//! The door: what handlers work with, and the server they answer in. `routes` has every route on one screen.

mod answer;
mod assets;
mod caller;
pub mod compat;
mod connection;
mod control;
mod cut;
mod error;
mod events;
mod frames;
mod gate;
pub mod generate;
mod health;
mod host;
mod intake;
mod leaflet;
mod login;
mod message;
mod metrics;
mod openapi;
mod operation;
mod osc;
mod program;
mod routes;
mod sessions;
mod share;
mod shelf;
mod snapshot;
mod socket;
mod sources;
mod state;
pub mod stream;
mod tls;
mod window;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_cors::Cors;
use actix_web::error::PayloadError;
use actix_web::middleware::{Condition, from_fn};
use actix_web::web;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use bytes::Bytes;
use clap::Args;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::access::{Access, Right};
use crate::address;
use crate::fanout::config::FanoutConfig;
use crate::fanout::ndi::Mirrors;
use crate::inference::{Inference, Readiness};
use crate::ingest::IngestConfig;
use crate::ingest::source::allow;
use crate::ingest::source::url::SourceUrl;
use crate::ingest::source::{Source, Sources};
use crate::listing::Listing;
use crate::metrics::Metrics;
use crate::program::Program;
use crate::screen::Screen;
use crate::seconds::seconds;
use crate::session::Session;
use crate::session::store::Store;
pub use assets::presets;
use caller::Caller;
use connection::Porter;
use error::ApiError;
pub use intake::Intake;
pub use shelf::Shelf;

/// Who may come in, and where.
#[derive(Args, Clone, Debug)]
pub struct HttpConfig {
    /// The address to listen on
    #[arg(long, env = "LIMN_HOST", value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub host: IpAddr,
    /// The port to listen on; 0 for one that is free
    #[arg(long, env = "LIMN_PORT", value_name = "PORT", default_value_t = 7860)]
    pub port: u16,
    /// Serve the page in this folder instead of ours
    #[arg(long, env = "LIMN_FRONTEND", value_name = "DIR")]
    pub frontend: Option<PathBuf>,
    /// Close a connection that has not sent a whole request head after this many seconds
    #[arg(long, env = "LIMN_HEADER_TIMEOUT", value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub header_timeout: Duration,
    /// Refuse a request whose body takes longer than this many seconds
    #[arg(long, env = "LIMN_BODY_TIMEOUT", value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub body_timeout: Duration,
    /// Close a connection on which nothing was asked for this many seconds
    #[arg(long, env = "LIMN_KEEP_ALIVE", value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub keep_alive: Duration,
    /// The most connections at a time
    #[arg(
        long,
        env = "LIMN_MAX_CONNECTIONS",
        value_name = "N",
        default_value_t = 10_000
    )]
    pub max_connections: usize,
    /// The most connections at a time from one address, loopback ones aside; 0 for no limit
    #[arg(
        long,
        env = "LIMN_MAX_PER_ADDRESS",
        value_name = "N",
        default_value_t = 1000
    )]
    pub max_per_address: usize,
    /// Certificates for https, PEM; a camera in a browser needs https or localhost
    #[arg(long, env = "LIMN_SSL_CERTFILE", value_name = "FILE")]
    pub ssl_certfile: Option<PathBuf>,
    /// The key for https, PEM
    #[arg(long, env = "LIMN_SSL_KEYFILE", value_name = "FILE")]
    pub ssl_keyfile: Option<PathBuf>,
}

/// What the handlers work with.
pub struct Rooms {
    /// All sessions.
    pub store: Arc<Store>,
    /// What is counted.
    pub metrics: Metrics,
    /// What paints.
    pub inference: Inference,
    /// What is on air.
    pub program: Arc<Program>,
    /// What can be painted with.
    pub listing: Arc<Listing>,
    /// What is sent by NDI, if the operator named a source.
    pub mirrors: Option<Arc<Mirrors>>,
    /// What the server reads by itself.
    pub sources: Arc<Sources>,
    /// Where OSC is listened to.
    pub osc: Option<SocketAddr>,
    /// Who may do what.
    pub access: Arc<Access>,
    /// Limits for pictures that come in.
    pub ingest: Arc<IngestConfig>,
    /// What is on its way in.
    pub intake: Arc<Intake>,
    /// What never changes.
    pub shelf: Shelf,
    /// Places for those who listen to events, as many as for viewers.
    pub listeners: Arc<Semaphore>,
    /// What viewers may have.
    pub fanout: FanoutConfig,
    /// `--jpeg-quality`.
    pub jpeg_quality: u8,
    /// The page to serve instead of ours.
    pub frontend: Option<PathBuf>,
    /// Whether the first row is loaded and has made a frame.
    pub warm: watch::Receiver<Readiness>,
    /// Cookies need the mark `Secure` where the server speaks https.
    pub https: bool,
}

impl Rooms {
    /// The session of that name.
    fn session(&self, key: &str) -> Result<Arc<Session>, ApiError> {
        self.store
            .find(key)
            .ok_or_else(|| ApiError::no_session(key))
    }

    /// The source of that name, opened for a new session: it is a door into the network behind the server.
    fn source(&self, request: &HttpRequest, name: &str) -> Result<Arc<Source>, ApiError> {
        if !Caller::of(request).is_operator() {
            return Err(ApiError::no_right(Right::Operator));
        }
        let url: SourceUrl = name.parse()?;
        allow::check(&url, &self.ingest.source_allow, self.access.is_local())?;
        self.sources.open(&url).map_err(ApiError::not_opened)
    }

    /// Whether whoever asks speaks https, with us or with a proxy before us; with the first, where there are more.
    fn is_secure(&self, request: &HttpRequest) -> bool {
        let forwarded = request.headers().get("X-Forwarded-Proto");
        let schemes = forwarded.and_then(|schemes| schemes.to_str().ok());
        let first = schemes.and_then(|schemes| schemes.split(',').next());
        self.https || first.is_some_and(|scheme| scheme.trim().eq_ignore_ascii_case("https"))
    }

    /// Whether one more may watch `screen`.
    fn has_seat_at(&self, screen: &Screen) -> Result<(), ApiError> {
        let FanoutConfig {
            max_viewers,
            max_viewers_per_session,
            ..
        } = self.fanout;
        let full = |most: usize, count: &dyn Fn() -> usize| most > 0 && count() >= most;
        if full(max_viewers_per_session, &|| screen.audience().count()) {
            return Err(ApiError::too_many_viewers(max_viewers_per_session));
        }
        if full(max_viewers, &|| self.viewers()) {
            return Err(ApiError::too_many_viewers(max_viewers));
        }
        Ok(())
    }

    /// A place for one more who listens to events.
    fn place_to_listen(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let place = Arc::clone(&self.listeners).try_acquire_owned();
        place.map_err(|_| ApiError::too_many_listeners(self.fanout.max_viewers))
    }

    /// How many watch, all in all.
    fn viewers(&self) -> usize {
        let sessions = self.store.all();
        let counts = sessions
            .iter()
            .map(|session| session.screen().audience().count());
        counts.sum::<usize>() + self.program.screen().audience().count()
    }

    /// A body that is a picture, no larger than one may be.
    async fn picture(&self, body: web::Payload) -> Result<Bytes, ApiError> {
        let limit = self.ingest.max_frame_bytes;
        match body.to_bytes_limited(limit).await {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(error)) => match error.as_error::<PayloadError>() {
                Some(error) if intake::is_late(error) => Err(ApiError::too_slow()),
                _ => Err(ApiError::bad_request(error)),
            },
            Err(_) => Err(ApiError::too_large(limit)),
        }
    }

    /// Answers a request for a socket on which no message is larger than a picture may be.
    fn socket(
        &self,
        request: &HttpRequest,
        payload: web::Payload,
    ) -> Result<
        (
            HttpResponse,
            actix_ws::Session,
            actix_ws::AggregatedMessageStream,
            socket::Heard,
        ),
        ApiError,
    > {
        socket::open(request, payload, &self.intake)
    }
}

/// Whom a request counts for where something is limited by address; `None` where it is not.
fn counted(request: &HttpRequest) -> Option<IpAddr> {
    request
        .peer_addr()
        .and_then(|address| address::counted(address.ip()))
}

/// Binds and returns the server, which runs when it is awaited, and the address it got.
pub fn serve(
    config: &HttpConfig,
    rooms: web::Data<Rooms>,
) -> anyhow::Result<(actix_web::dev::Server, SocketAddr)> {
    let tls = tls::config(config)?;
    let origins = rooms.access.cors_origins().to_vec();
    let porter = Porter::new(config.max_per_address);
    let most = config.max_connections.div_ceil(workers());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(rooms.clone())
            .app_data(query_config())
            .configure(routes::configure)
            .wrap(Condition::new(!origins.is_empty(), cors(&origins)))
            .wrap(from_fn(gate::doorway))
    })
    // A viewer that leaves is noticed by its half of the connection closing (measured: 21 ms instead of 12 s).
    .h1_allow_half_closed(false)
    .h1_write_buffer_size(connection::WRITE_BUFFER_BYTES)
    .client_request_timeout(config.header_timeout)
    .keep_alive(config.keep_alive)
    .max_connections(most)
    // A worker takes up no connection while so many wait for a handshake, so that some that are silent would keep out all
    // others: there may be as many of them as of any, and no longer than a plain one may be silent.
    .max_connection_rate(most)
    .tls_handshake_timeout(config.header_timeout)
    .workers(workers())
    .tcp_nodelay(true)
    .on_connect(move |connection, extensions| porter.accepted(connection, extensions))
    .shutdown_timeout(2)
    .disable_signals();
    let address = (config.host, config.port);
    let server = match tls {
        Some(tls) => server.bind_rustls_0_23(address, tls)?,
        None => server.bind(address)?,
    };
    let address = server.addrs()[0];
    Ok((server.run(), address))
}

/// As many as actix takes by itself.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// For scripts of other pages; they show their key as a bearer, since cookies stay with our own.
fn cors(origins: &[String]) -> Cors {
    let cors = Cors::default().allow_any_method().allow_any_header();
    origins
        .iter()
        .fold(cors, |cors, origin| cors.allowed_origin(origin))
}

fn query_config() -> web::QueryConfig {
    web::QueryConfig::default().error_handler(|error, _: &HttpRequest| {
        ApiError::bad_request(format!("the query is not what is read here: {error}")).into()
    })
}

/// Reads JSON of up to `limit` bytes.
fn json_config(limit: usize) -> web::JsonConfig {
    web::JsonConfig::default()
        .limit(limit)
        .content_type_required(false)
        .error_handler(|error, _: &HttpRequest| {
            use actix_web::error::JsonPayloadError::{Overflow, OverflowKnownLength, Payload};
            match error {
                Overflow { limit } | OverflowKnownLength { limit, .. } => {
                    ApiError::too_large(limit).into()
                }
                Payload(error) if intake::is_late(&error) => ApiError::too_slow().into(),
                error => ApiError::bad_request(format!(
                    "the body is not the json that is read here: {error}"
                ))
                .into(),
            }
        })
}
