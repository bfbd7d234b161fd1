//! `server key new` and `server url sign`.

use anyhow::{Context, ensure};
use clap::{Args, Subcommand};

use super::keys::{self, KeyRing};
use super::signed::{self, Scope};
use super::{AccessConfig, Grant, Right};
use crate::session::token::is_key;

/// Keys.
#[derive(Subcommand, Clone, Debug)]
pub enum KeyTask {
    /// Make a key and add its hash to the file of --auth; it is printed once and cannot be had again
    New(NewKey),
}

/// See [`KeyTask::New`].
#[derive(Args, Clone, Debug)]
pub struct NewKey {
    /// What it lets one do
    #[arg(long, value_enum)]
    right: Right,
    /// Whose it is, to find its line again
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

/// Addresses.
#[derive(Subcommand, Clone, Debug)]
pub enum UrlTask {
    /// Print addresses that let one watch without a key, for OBS and other readers that can send no header
    Sign(SignUrl),
}

/// See [`UrlTask::Sign`].
#[derive(Args, Clone, Debug)]
pub struct SignUrl {
    /// One session's; the program's without it
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// Sign in with this right instead, on the page
    #[arg(long, value_enum, conflicts_with = "session")]
    right: Option<Right>,
    /// How many hours they hold
    #[arg(long, value_name = "HOURS", default_value_t = 12.0, value_parser = hours)]
    hours: f64,
    /// How readers reach the server
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7860")]
    base: String,
}

fn hours(text: &str) -> Result<f64, String> {
    let hours = text.parse().ok();
    // A hundred years.
    hours
        .filter(|hours| *hours > 0.0 && *hours <= 876_000.0)
        .ok_or_else(|| format!("`{text}` is not a number of hours above 0"))
}

impl KeyTask {
    /// Does it; answers what to print.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn run(&self, config: &AccessConfig) -> anyhow::Result<String> {
        let Self::New(NewKey { right, name }) = self;
        let name = name.as_deref();
        ensure!(
            name.is_none_or(|name| !name.contains(['\n', '\r', '#'])),
            "a name is one line and has no `#`"
        );
        let (key, line) = keys::new_key(*right, name);
        let Some(path) = &config.auth else {
            return Ok(format!("{key}\n\nadd to the file of --auth:\n{line}\n"));
        };
        keys::append(path, &line)?;
        Ok(format!("{key}\n"))
    }
}

impl UrlTask {
    /// Does it; answers what to print.
    ///
    /// # Errors
    /// If there is no secret to sign with.
    pub fn run(&self, config: &AccessConfig) -> anyhow::Result<String> {
        let Self::Sign(SignUrl {
            session,
            right,
            hours,
            base,
        }) = self;
        let ring = KeyRing::load(config)?;
        let secret = ring.signing();
        let (secret, _) = secret.context("name the server's file of keys with --auth, or LIMN_KEYS with `signing HEX` in it: it has the secret that signs")?;
        let scope = match (right, session) {
            (Some(_), _) => Scope::All,
            (None, None) => Scope::Program,
            (None, Some(key)) => {
                ensure!(is_key(key), "`{key}` is no session's id");
                Scope::Session(key.clone())
            }
        };
        let (stream, page) = match &scope {
            Scope::Session(key) => (format!("api/sessions/{key}/stream.mjpeg"), key.as_str()),
            _ => ("stream.mjpeg".to_owned(), "program"),
        };
        let grant = Grant {
            right: right.unwrap_or(Right::Viewer),
            scope: scope.clone(),
        };
        let signed = signed::sign(secret, &grant, signed::after((hours * 3600.0) as u64));
        let base = base.trim_end_matches('/');
        if right.is_some() {
            return Ok(format!("{}\n", sign_in_address(base, &signed)));
        }
        Ok(format!(
            "{base}/watch/{page}?sign={signed}\n{base}/{stream}?sign={signed}\n"
        ))
    }
}

/// Behind a `#`, which a browser keeps to itself: no log and no proxy sees it.
pub fn sign_in_address(base: &str, signed: &str) -> String {
    format!("{base}/#sign={signed}")
}
