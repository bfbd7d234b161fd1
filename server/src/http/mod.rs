//! The door: what handlers work with, and the server they answer in. `routes` has every route on one screen.

mod assets;
pub mod compat;
mod connection;
mod control;
mod error;
mod events;
mod frames;
mod gate;
pub mod generate;
mod health;
mod leaflet;
mod login;
mod openapi;
mod osc;
mod program;
mod routes;
mod sessions;
mod share;
mod snapshot;
mod sources;
mod state;
pub mod stream;
mod tls;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use actix_cors::Cors;
use actix_web::middleware::{Condition, from_fn};
use actix_web::web;
use actix_web::{App, HttpRequest, HttpServer};
use bytes::Bytes;
use clap::Args;
use tokio::sync::watch;

use crate::access::{Access, Right};
use crate::fanout::config::FanoutConfig;
use crate::fanout::ndi::Mirrors;
use crate::inference::Readiness;
use crate::ingest::IngestConfig;
use crate::ingest::source::url::SourceUrl;
use crate::ingest::source::{Source, Sources};
use crate::listing::Listing;
use crate::program::Program;
use crate::session::Session;
use crate::session::store::Store;
pub use assets::presets;
use error::ApiError;
use gate::Caller;

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
        Ok(self.sources.open(&url))
    }

    /// A body that is a picture, no larger than one may be.
    async fn picture(&self, body: web::Payload) -> Result<Bytes, ApiError> {
        let limit = self.ingest.max_frame_bytes;
        match body.to_bytes_limited(limit).await {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(error)) => Err(ApiError::bad_request(error)),
            Err(_) => Err(ApiError::too_large(limit)),
        }
    }

    /// A socket's messages, each whole and none larger than a picture may be.
    fn whole(&self, messages: actix_ws::MessageStream) -> actix_ws::AggregatedMessageStream {
        let limit = self.ingest.max_frame_bytes;
        messages
            .max_frame_size(limit)
            .aggregate_continuations()
            .max_continuation_size(limit)
    }
}

/// JSON bodies are parameters: more than this is no patch.
const MAX_JSON_BYTES: usize = 1 << 20;

/// Binds and returns the server, which runs when it is awaited, and the address it got.
pub fn serve(
    config: &HttpConfig,
    rooms: web::Data<Rooms>,
) -> anyhow::Result<(actix_web::dev::Server, SocketAddr)> {
    let tls = tls::config(config)?;
    let origins = rooms.access.cors_origins().to_vec();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(rooms.clone())
            .app_data(json_config())
            .app_data(query_config())
            .configure(routes::configure)
            .wrap(Condition::new(!origins.is_empty(), cors(&origins)))
            .wrap(from_fn(gate::doorway))
    })
    // A viewer that leaves is noticed by its half of the connection closing (measured: 21 ms instead of 12 s).
    .h1_allow_half_closed(false)
    .h1_write_buffer_size(connection::WRITE_BUFFER_BYTES)
    .tcp_nodelay(true)
    .on_connect(connection::accepted)
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

fn json_config() -> web::JsonConfig {
    web::JsonConfig::default()
        .limit(MAX_JSON_BYTES)
        .content_type_required(false)
        .error_handler(|error, _: &HttpRequest| {
            use actix_web::error::JsonPayloadError::{Overflow, OverflowKnownLength};
            match error {
                Overflow { limit } | OverflowKnownLength { limit, .. } => {
                    ApiError::too_large(limit).into()
                }
                error => ApiError::bad_request(format!(
                    "the body is not the json that is read here: {error}"
                ))
                .into(),
            }
        })
}
