//! What somebody wants a new session to be.

use std::net::IpAddr;
use std::sync::Arc;

use super::lease::Lease;
use crate::ingest::source::Source;
use crate::listing::Choice;

/// A session that is not there yet.
pub struct Wish {
    /// What it paints with.
    pub choice: Choice,
    /// Its name, if its owner chose one.
    pub key: Option<String>,
    /// Where its pictures come from, if the server reads them.
    pub source: Option<Arc<Source>>,
    /// Whom it counts for, see [`counted`](crate::address::counted).
    pub from: Option<IpAddr>,
    /// How long the asker's right lasts: the session ends with it.
    pub lease: Option<Lease>,
    /// Whether the asker may have any name that is free.
    pub trusted: bool,
    /// What the asker showed that may be the control token of an earlier session of that name.
    pub shown: Vec<String>,
    /// What the asker was told while there was no place.
    pub ticket: Option<String>,
}

impl Wish {
    /// A session of the server's own.
    pub fn of(choice: Choice) -> Self {
        Self {
            choice,
            key: None,
            source: None,
            from: None,
            lease: None,
            trusted: false,
            shown: Vec::new(),
            ticket: None,
        }
    }
}
