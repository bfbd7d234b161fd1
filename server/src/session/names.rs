//! The names of sessions that have ended. Who knows one may watch, and has it in a player or a shared address: nobody else may show
//! something under it.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::Session;
use super::lease::Lease;
use super::lock;
use super::token::Token;
use super::wish::Wish;

/// As long as a shared address holds.
const KEPT: Duration = Duration::from_secs(12 * 3600);

/// Those that ended longest ago are forgotten first.
const MOST: usize = 16_384;

struct Gone {
    name: String,
    control: Token,
    lease: Option<Lease>,
    from: Option<IpAddr>,
    since: Instant,
}

/// See the module.
#[derive(Default)]
pub struct Names(Mutex<VecDeque<Gone>>);

impl Names {
    /// That session has ended.
    pub fn keep(&self, session: &Session, now: Instant) {
        let mut gone = lock(&self.0);
        gone.retain(|gone| gone.name != session.key && now - gone.since < KEPT);
        if gone.len() == MOST {
            gone.pop_front();
        }
        gone.push_back(Gone {
            name: session.key.clone(),
            control: session.control.clone(),
            lease: session.lease.clone(),
            from: session.from,
            since: now,
        });
    }

    /// Whether whoever wishes so may have the name: nobody had it, or the same one did, by control token, key or
    /// [address](crate::address::counted).
    pub fn may_have(&self, name: &str, wish: &Wish, now: Instant) -> bool {
        let gone = lock(&self.0);
        let Some(gone) = gone.iter().find(|gone| gone.name == name) else {
            return true;
        };
        now - gone.since >= KEPT
            || wish.trusted
            || wish.shown.iter().any(|shown| gone.control.matches(shown))
            || (gone.lease.is_some() && gone.lease == wish.lease)
            || (gone.from.is_some() && gone.from == wish.from)
    }
}
