//! Who watches a session: address, wire, rate, skips.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::Serialize;

use super::wire::Wire;
use crate::lock::lock;
use crate::metrics::Sent;

/// Everybody who reads a stream of one session.
#[derive(Debug, Default)]
pub struct Audience {
    seats: Mutex<Vec<Weak<Seat>>>,
    /// What all viewers of the server were sent.
    all: Sent,
}

/// One viewer, as an operator sees it.
#[derive(Debug)]
pub struct Seat {
    address: Option<SocketAddr>,
    wire: Wire,
    since: Instant,
    pictures: AtomicU64,
    bytes: AtomicU64,
    skipped: AtomicU64,
    recent: Mutex<Recent>,
    all: Sent,
}

/// The same, as a route answers it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ViewerState {
    /// Its address; empty where nobody knows.
    address: String,
    /// Its port, which tells it from others at that address.
    port: Option<u16>,
    /// How its parts are framed.
    wire: &'static str,
    /// Seconds since it came.
    age_secs: f64,
    /// Pictures in the last second.
    fps: f64,
    /// Pictures that it was sent.
    pictures: u64,
    /// Pictures that it was too slow for.
    skipped: u64,
    /// What that came to.
    bytes: u64,
}

#[derive(Debug)]
struct Recent {
    since: Instant,
    pictures: u64,
    fps: f64,
}

impl Audience {
    /// Nobody yet; what is sent is counted in `all` as well.
    pub fn new(all: Sent) -> Self {
        Self {
            seats: Mutex::default(),
            all,
        }
    }

    /// A seat for a viewer, for as long as it holds it.
    pub fn sit(&self, address: Option<SocketAddr>, wire: Wire) -> Arc<Seat> {
        let now = Instant::now();
        let seat = Arc::new(Seat {
            address,
            wire,
            since: now,
            pictures: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            recent: Mutex::new(Recent {
                since: now,
                pictures: 0,
                fps: 0.0,
            }),
            all: self.all.clone(),
        });
        let mut seats = lock(&self.seats);
        seats.retain(|seat| seat.strong_count() > 0);
        seats.push(Arc::downgrade(&seat));
        seat
    }

    /// Works out the rates; called once a second.
    pub fn tick(&self, now: Instant) {
        for seat in self.seats() {
            let pictures = seat.pictures.load(Ordering::Relaxed);
            let mut recent = lock(&seat.recent);
            let seconds = now
                .saturating_duration_since(recent.since)
                .as_secs_f64()
                .max(0.001);
            recent.fps = (pictures - recent.pictures) as f64 / seconds;
            (recent.since, recent.pictures) = (now, pictures);
        }
    }

    /// Each viewer, oldest first.
    pub fn viewers(&self) -> Vec<ViewerState> {
        self.seats().iter().map(|seat| seat.state()).collect()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.seats().len()
    }

    fn seats(&self) -> Vec<Arc<Seat>> {
        lock(&self.seats).iter().filter_map(Weak::upgrade).collect()
    }
}

impl Seat {
    /// A part of so many bytes went out; `age` is how long ago its frame arrived, if it went out for the first time.
    pub fn sent(&self, bytes: usize, age: Option<Duration>) {
        self.pictures.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.all.parts.inc();
        self.all.bytes.inc_by(bytes as u64);
        if let Some(age) = age {
            self.all.latency.observe(age.as_secs_f64());
        }
    }

    /// So many pictures were overtaken.
    pub fn skipped(&self, pictures: u64) {
        self.skipped.fetch_add(pictures, Ordering::Relaxed);
        self.all.skipped.inc_by(pictures);
    }

    #[cfg(test)]
    pub(super) fn skips(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    fn state(&self) -> ViewerState {
        let round = |value: f64| (value * 10.0).round() / 10.0;
        ViewerState {
            address: self
                .address
                .map_or_else(String::new, |address| address.ip().to_string()),
            port: self.address.map(|address| address.port()),
            wire: self.wire.name(),
            age_secs: round(self.since.elapsed().as_secs_f64()),
            fps: round(lock(&self.recent).fps),
            pictures: self.pictures.load(Ordering::Relaxed),
            skipped: self.skipped.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_is_free_when_its_viewer_goes_and_rates_are_of_the_last_second() {
        let audience = Audience::default();
        let seat = audience.sit(Some(([192, 0, 2, 1], 4000).into()), Wire::Length);
        let gone = audience.sit(None, Wire::Browser);
        drop(gone);
        (0..50).for_each(|_| seat.sent(1000, None));
        audience.tick(seat.since + Duration::from_secs(2));
        let viewers = audience.viewers();
        assert_eq!(viewers.len(), 1);
        assert_eq!((viewers[0].fps, viewers[0].wire), (25.0, "length"));
        assert_eq!(
            (viewers[0].address.as_str(), viewers[0].port),
            ("192.0.2.1", Some(4000))
        );
    }
}
