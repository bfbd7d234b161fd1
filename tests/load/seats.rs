//! What each viewer has read so far, by the port it reads on: the server knows it by that as well.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Debug, Default)]
pub struct Seat {
    parts: AtomicU64,
    bytes: AtomicU64,
}

impl Seat {
    /// A whole part of so many bytes was read.
    pub fn read(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.parts.fetch_add(1, Ordering::Relaxed);
    }

    /// Parts, and their bytes.
    pub fn so_far(&self) -> (u64, u64) {
        (
            self.parts.load(Ordering::Relaxed),
            self.bytes.load(Ordering::Relaxed),
        )
    }
}

#[derive(Default)]
pub struct Seats(Mutex<HashMap<u16, Arc<Seat>>>);

impl Seats {
    /// Somebody begins to read on `port`.
    pub fn sit(self: &Arc<Self>, port: u16) -> Taken {
        let seat = Arc::new(Seat::default());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(port, Arc::clone(&seat));
        Taken {
            seats: Arc::clone(self),
            port,
            seat,
        }
    }

    /// What everybody has read so far.
    pub fn so_far(&self) -> HashMap<u16, (u64, u64)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter()
            .map(|(port, seat)| (*port, seat.so_far()))
            .collect()
    }

    /// Who reads on `port`, if that is one of ours.
    pub fn at(&self, port: u16) -> Option<Arc<Seat>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&port).cloned()
    }
}

/// A seat for as long as somebody reads.
pub struct Taken {
    seats: Arc<Seats>,
    port: u16,
    pub seat: Arc<Seat>,
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut all = self.seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The port may belong to the next one by now.
        if all
            .get(&self.port)
            .is_some_and(|there| Arc::ptr_eq(there, &self.seat))
        {
            all.remove(&self.port);
        }
    }
}
