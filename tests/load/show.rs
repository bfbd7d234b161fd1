//! What everybody in it shares: where the server is, the sessions, the ledger, and whether it is over.

use std::net::SocketAddr;
use std::sync::Arc;

use limn_tests::process::Process;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::watch;

use crate::ledger::Ledger;
use crate::seats::Seats;
use crate::sessions::Sessions;

/// Handles are clones.
#[derive(Clone)]
pub struct Show {
    pub address: SocketAddr,
    pub process: Process,
    pub sessions: Arc<Sessions>,
    pub ledger: Arc<Ledger>,
    pub seats: Arc<Seats>,
    /// Faults are written down as they come.
    pub verbose: bool,
    seed: u64,
    over: Arc<watch::Sender<bool>>,
}

impl Show {
    pub fn new(address: SocketAddr, process: Process, seed: u64, verbose: bool) -> Self {
        Self {
            address,
            process,
            sessions: Arc::default(),
            ledger: Arc::default(),
            seats: Arc::default(),
            verbose,
            seed,
            over: Arc::new(watch::Sender::new(false)),
        }
    }

    /// The chance of one who takes part; whoever else draws more or less changes nothing for it.
    pub fn chance(&self, number: u64) -> StdRng {
        StdRng::seed_from_u64(self.seed.wrapping_mul(1_000_003).wrapping_add(number))
    }

    /// Whoever leaves now does not come again.
    pub fn close(&self) {
        self.over.send_replace(true);
    }

    /// Whether nobody comes any more.
    pub fn is_over(&self) -> bool {
        *self.over.borrow()
    }

    /// Resolves when nobody comes any more.
    pub async fn over(&self) {
        // The sender lives in this very handle.
        let _ = self.over.subscribe().wait_for(|over| *over).await;
    }
}
