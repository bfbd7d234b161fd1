//! The wire of GenDJ, so that its own page works: frames on one port, settings on another, OSC on a third.
//!
//! In that server all pages share one state; here each page is a session, and what is set is set for all of them and for those
//! that come.

mod door;
mod frames;
mod osc;
mod settings;

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use anyhow::Context;
use clap::Args;
use limn_pipeline::Unknown;
use serde_json::{Map, Value};

use crate::http::Rooms;
use crate::lock::lock;
use crate::refusal::Refusal;
use crate::session::Session;
use crate::session::label::Label;
use crate::session::wish::Wish;

/// The wire of GenDJ.
#[derive(Args, Clone, Debug)]
pub struct GendjConfig {
    /// Open the ports of GenDJ, so that its page works: frames, settings, OSC
    #[arg(long, env = "LIMN_GENDJ", value_name = "PORTS", num_args = 0..=1, require_equals = true, default_missing_value = "8765,5556,9091")]
    pub gendj: Option<Ports>,
}

/// Where its page looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// Frames, by WebSocket.
    pub frames: u16,
    /// Settings, by HTTP.
    pub settings: u16,
    /// OSC, by UDP.
    pub osc: u16,
}

impl FromStr for Ports {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let ports: Result<Vec<u16>, _> = text.split(',').map(|port| port.trim().parse()).collect();
        match ports.as_deref() {
            Ok(&[frames, settings, osc]) => Ok(Self {
                frames,
                settings,
                osc,
            }),
            _ => Err(format!("`{text}` is no three ports like `8765,5556,9091`")),
        }
    }
}

/// Where it listens.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// Frames.
    pub frames: SocketAddr,
    /// Settings.
    pub settings: SocketAddr,
    /// OSC.
    pub osc: SocketAddr,
}

/// The row that shows the camera as it is.
const PASSTHROUGH: &str = "passthrough";

/// What all its pages share.
struct Shared {
    rooms: web::Data<Rooms>,
    sessions: Mutex<Vec<Weak<Session>>>,
    /// What sessions that come begin with.
    params: Mutex<Map<String, Value>>,
    passthrough: AtomicBool,
}

impl Shared {
    /// Sets a parameter for all, once the first row's schema has it.
    fn set(&self, name: &str, value: Value) -> Result<(), Refusal> {
        let door = &self.rooms.listing.first().door;
        let mut params = lock(&self.params).clone();
        params.insert(name.to_owned(), value);
        if let Some(blocked) = &self.rooms.store.config().blocked_words {
            blocked.check(&params)?;
        }
        door.apply(door.defaults(), &params, Unknown::Refuse)?;
        *lock(&self.params) = params;
        self.sessions()
            .iter()
            .for_each(|session| self.seat(session));
        Ok(())
    }

    /// The camera as it is, or painted.
    fn set_passthrough(&self, on: bool) {
        self.passthrough.store(on, Ordering::Relaxed);
        self.sessions()
            .iter()
            .for_each(|session| self.seat(session));
    }

    /// Gives a session the row and the parameters that all have.
    fn seat(&self, session: &Session) {
        let passthrough = self.passthrough.load(Ordering::Relaxed);
        let name = passthrough.then_some(PASSTHROUGH);
        if let Ok(choice) = self.rooms.listing.choose(name)
            && choice.row.id != session.choice().row.id
        {
            // Too many changes: the next one seats it.
            let _ = session.change(Some(choice), None);
        }
        let params = lock(&self.params).clone();
        // They were checked when they were set; another row may not have them all.
        let _ = session.patch(&params, Unknown::Ignore);
    }

    /// A session for a page that has come.
    fn begin(&self, from: Option<IpAddr>) -> Option<Arc<Session>> {
        let choice = self.rooms.listing.first().clone();
        let session = self
            .rooms
            .store
            .create(Wish {
                from,
                ..Wish::of(choice)
            })
            .ok()?;
        session.set_label(Label::ours("GenDJ"));
        self.seat(&session);
        lock(&self.sessions).push(Arc::downgrade(&session));
        Some(session)
    }

    fn sessions(&self) -> Vec<Arc<Session>> {
        let mut sessions = lock(&self.sessions);
        sessions.retain(|session| session.strong_count() > 0);
        sessions.iter().filter_map(Weak::upgrade).collect()
    }
}

/// Opens the three ports on `host`; answers where they are, and the servers of the first two.
///
/// # Errors
/// If one of them is taken.
pub fn listen(
    host: IpAddr,
    ports: Ports,
    rooms: &web::Data<Rooms>,
) -> anyhow::Result<(Addresses, [Server; 2])> {
    let shared = web::Data::new(Shared {
        rooms: rooms.clone(),
        sessions: Mutex::default(),
        params: Mutex::default(),
        passthrough: AtomicBool::new(false),
    });
    let on =
        |port, configure: fn(&mut web::ServiceConfig)| -> anyhow::Result<(SocketAddr, Server)> {
            let shared = shared.clone();
            let app = move || {
                App::new()
                    .app_data(shared.clone())
                    .configure(configure)
                    .wrap(from_fn(door::door))
            };
            let server = HttpServer::new(app)
                .workers(1)
                .shutdown_timeout(2)
                .disable_signals()
                .bind((host, port))
                .with_context(|| format!("cannot listen for GenDJ on {host}:{port}"))?;
            Ok((server.addrs()[0], server.run()))
        };
    let (frames, frames_server) = on(ports.frames, frames::configure)?;
    let (settings, settings_server) = on(ports.settings, settings::configure)?;
    let heard = osc::listen((host, ports.osc), shared.clone().into_inner());
    let osc =
        heard.with_context(|| format!("cannot listen for GenDJ's OSC on port {}", ports.osc))?;
    let addresses = Addresses {
        frames,
        settings,
        osc,
    };
    Ok((addresses, [frames_server, settings_server]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_ports_are_read() {
        let ports: Ports = "8765,5556, 9091".parse().unwrap();
        assert_eq!(
            (ports.frames, ports.settings, ports.osc),
            (8765, 5556, 9091)
        );
        for wrong in ["8765", "1,2,3,4", "a,b,c", ""] {
            assert!(wrong.parse::<Ports>().unwrap_err().contains(wrong));
        }
    }
}
