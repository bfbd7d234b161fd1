//! Who may do what: rights, the keys that give them, and addresses that carry one.

pub mod guesses;
pub mod keys;
pub mod signed;
pub mod task;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{RwLock, RwLockReadGuard};
use std::time::Instant;

use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::Serialize;

use guesses::{Guesses, TooMany};
use keys::KeyRing;
use signed::Scope;

use crate::session::lease::Lease;

/// How long the rights hold that the server signs by itself: a show.
const SHARED_SECS: u64 = 12 * 3600;

/// Who may do what.
#[derive(Args, Clone, Debug, Default)]
pub struct AccessConfig {
    /// Ask for a key, and know them by this file; it is made, with an operator's sign-in address, if there is none
    #[arg(long, env = "LIMN_AUTH", value_name = "FILE", global = true)]
    pub auth: Option<PathBuf>,
    /// The same without a file, as `operator KEY; player KEY`; a key may be given as `sha256:HEX`
    #[arg(
        long,
        env = "LIMN_KEYS",
        value_name = "KEYS",
        hide_env_values = true,
        global = true
    )]
    pub keys: Option<String>,
    /// Let everybody who reaches the server paint and watch without a key; operators need one all the same
    #[arg(long, env = "LIMN_OPEN")]
    pub open: bool,
    /// Let pages of these origins use the server, as https://show.example: a list with commas
    #[arg(
        long,
        env = "LIMN_CORS_ORIGIN",
        value_name = "ORIGINS",
        value_delimiter = ','
    )]
    pub cors_origin: Vec<String>,
    /// Other names by which the server is reached, as behind a proxy: a list with commas
    #[arg(
        long,
        env = "LIMN_HOSTNAME",
        value_name = "NAMES",
        value_delimiter = ','
    )]
    pub hostname: Vec<String>,
}

/// What a caller may do; each right holds those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    /// Watch a session whose id one knows, or the program.
    Viewer,
    /// Begin sessions and steer them.
    Player,
    /// Everything.
    Operator,
}

impl Right {
    /// As it is written in files and addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Player => "player",
            Self::Operator => "operator",
        }
    }

    /// The right of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Viewer, Self::Player, Self::Operator]
            .into_iter()
            .find(|right| right.name() == name)
    }
}

/// A right, and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What may be done.
    pub right: Right,
    /// Where.
    pub scope: Scope,
}

impl Grant {
    fn everywhere(right: Right) -> Self {
        Self {
            right,
            scope: Scope::All,
        }
    }
}

/// The keys in force, and what is open without one.
pub struct Access {
    config: AccessConfig,
    ring: RwLock<KeyRing>,
    guesses: Guesses,
    /// What whoever reaches the server may do without a key.
    free: Option<Right>,
    /// Without keys on a loopback address, only names of this machine are answered to: a page that has its own name point
    /// here (DNS rebinding) is a stranger.
    local: bool,
}

/// Why the server does not start as it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// It would stand open by accident.
    #[error(
        "{0} can be reached from other machines: say who may use the server with `--auth FILE`, or that everybody may with `--open`"
    )]
    Unguarded(IpAddr),
    /// It has a name outside, where others come from, and asks nobody for a key.
    #[error(
        "`--hostname` names a server that others reach: say who may use it with `--auth FILE`, or that everybody may with `--open`"
    )]
    Named,
    /// The keys cannot be had.
    #[error(transparent)]
    Keys(#[from] keys::KeysError),
}

impl Access {
    /// Reads the keys, or makes the file with one.
    ///
    /// # Errors
    /// If the keys cannot be read, or the server would stand open where nobody said so.
    pub fn start(config: &AccessConfig, host: IpAddr) -> Result<Self, AccessError> {
        let ring = KeyRing::load(config)?;
        let keyed = ring.is_in_force();
        let local = host.is_loopback() && !keyed && !config.open;
        if !host.is_loopback() && !keyed && !config.open {
            return Err(AccessError::Unguarded(host));
        }
        // Behind a proxy everybody comes from this machine.
        if local && !config.hostname.is_empty() {
            return Err(AccessError::Named);
        }
        let free = if local {
            Some(Right::Operator)
        } else {
            config.open.then_some(Right::Player)
        };
        Ok(Self {
            config: config.clone(),
            ring: RwLock::new(ring),
            guesses: Guesses::default(),
            free,
            local,
        })
    }

    /// Reads the keys again, and revokes what those gave that are gone.
    ///
    /// # Errors
    /// If they cannot be read; then those that there were stay.
    pub fn reload(&self) -> Result<usize, AccessError> {
        let mut ring = KeyRing::load(&self.config)?;
        let count = ring.count();
        let mut before = self
            .ring
            .write()
            .unwrap_or_else(|broken| broken.into_inner());
        ring.follow(&before);
        *before = ring;
        Ok(count)
    }

    /// What may be done without a key.
    pub fn free(&self) -> Option<Right> {
        self.free
    }

    /// Whether only names of this machine are answered to.
    pub fn is_local(&self) -> bool {
        self.local
    }

    /// What a key, or a signed right, that somebody shows is good for now. `from` is whom it counts for, `now` the time.
    ///
    /// # Errors
    /// If too many keys were tried from there.
    pub fn credential(
        &self,
        shown: &str,
        from: Option<IpAddr>,
        now: Instant,
    ) -> Result<Option<(Grant, Lease)>, TooMany> {
        let guesser = from.filter(|_| guesses::can_be_guessed(shown));
        if let Some(from) = guesser {
            self.guesses.check(from, now)?;
        }
        let grant = self.known(shown).or_else(|| self.signed(shown));
        if let (Some(from), None) = (guesser, &grant) {
            self.guesses.wrong(from, shown, now);
        }
        Ok(grant)
    }

    fn known(&self, shown: &str) -> Option<(Grant, Lease)> {
        let ring = self.ring();
        let (right, lease) = ring.right_of(shown)?;
        Some((Grant::everywhere(right), lease.clone()))
    }

    /// What a signed right is good for now.
    pub fn signed(&self, shown: &str) -> Option<(Grant, Lease)> {
        let ring = self.ring();
        let (secret, lease) = ring.signing()?;
        Some((signed::verify(secret, shown)?, lease.clone()))
    }

    /// A viewer's signed right for twelve hours; `None` where nobody needs one, or none can be signed.
    pub fn share(&self, scope: Scope) -> Option<String> {
        let ring = self.ring();
        let (secret, _) = ring.signing().filter(|_| self.free.is_none())?;
        let right = Right::Viewer;
        let expiry = signed::after(SHARED_SECS);
        Some(signed::sign(secret, &Grant { right, scope }, expiry))
    }

    /// An operator's signed right for twelve hours, where there is no key yet that would let one in.
    pub fn first_sign_in(&self) -> Option<String> {
        let ring = self.ring();
        let (secret, _) = ring.signing().filter(|_| ring.count() == 0)?;
        let grant = Grant::everywhere(Right::Operator);
        Some(signed::sign(secret, &grant, signed::after(SHARED_SECS)))
    }

    fn ring(&self) -> RwLockReadGuard<'_, KeyRing> {
        self.ring
            .read()
            .unwrap_or_else(|broken| broken.into_inner())
    }

    /// Whether pages of `origin` may use the server, though another host served them.
    pub fn allows_origin(&self, origin: &str) -> bool {
        self.config
            .cors_origin
            .iter()
            .any(|allowed| allowed == origin)
    }

    /// Whether the server goes by this name as well.
    pub fn is_hostname(&self, name: &str) -> bool {
        let names = &self.config.hostname;
        names.iter().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// The origins that CORS lets in.
    pub fn cors_origins(&self) -> &[String] {
        &self.config.cors_origin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_tries_keys_keeps_out_nobody_with_a_key_that_cannot_be_guessed() {
        let (made, _) = keys::new_key(Right::Player, None);
        let config = AccessConfig {
            keys: Some(format!("operator open-sesame; player {made}")),
            ..AccessConfig::default()
        };
        let access = Access::start(&config, [127, 0, 0, 1].into()).unwrap();
        let office = Some(IpAddr::from([192, 0, 2, 1]));
        let now = Instant::now();
        let try_key = |key: &str, from| {
            let granted = access.credential(key, from, now);
            granted.map(|granted| granted.map(|(grant, _)| grant))
        };
        let operator = Ok(Some(Grant::everywhere(Right::Operator)));
        assert_eq!(try_key("open-sesame", office), operator);
        for number in 0..10 {
            let guess = format!("open-{number}");
            assert_eq!(try_key(&guess, office), Ok(None));
            assert_eq!(try_key(&guess, None), Ok(None));
        }
        assert!(try_key("open-11", office).is_err());
        // Or else whoever guesses would know it by its being let in.
        assert!(try_key("open-sesame", office).is_err());
        let player = Ok(Some(Grant::everywhere(Right::Player)));
        assert_eq!(try_key(&made, office), player);
        // Elsewhere, and on this machine, nothing has happened.
        assert_eq!(try_key("open-sesame", None), operator);
        let elsewhere = Some(IpAddr::from([192, 0, 2, 2]));
        assert_eq!(try_key("open-sesame", elsewhere), operator);
    }
}
