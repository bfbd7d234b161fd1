//! A server under test: in this process, on a free port, with pipelines of the tests' own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use limn_server::session::Session;
use limn_server::{Config, Running, start};
use serde_json::{Value, json};

use crate::camera::Camera;
use crate::http::{Answer, ask};
use crate::mjpeg::Viewer;
use crate::painters;

/// How long anything may take before a test gives it up: generous, since the machines that run tests are slow and noisy.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Looks again and again until `holds`.
///
/// # Panics
/// If it does not within [`PATIENCE`]; `what` says what was waited for.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A server under test.
pub struct House {
    /// The server itself.
    pub running: Running,
}

impl House {
    /// Starts a server with these flags and the pipelines of [`painters`]; its sessions run on the caller's runtime.
    pub fn open(flags: &[&str]) -> Self {
        // Its painters are in this program, which is no server to be started again.
        let args = ["server", "--port", "0", "--worker", "thread"]
            .iter()
            .chain(flags);
        let config = Config::read(args).expect("the flags of a test are flags");
        let running = start(&config, painters::REGISTRY).expect("the server starts");
        Self { running }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.running.address
    }

    /// One request with a JSON body; `null` sends none.
    pub async fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        ask(self.address(), method, path, &[], body.as_bytes()).await
    }

    /// A session over plain HTTP; see `POST /api/sessions` for `body`.
    pub async fn begin(&self, body: Value) -> Owner {
        let answer = self.ask("POST", "/api/sessions", &body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        Owner::of(self.address(), &answer.json())
    }

    /// A socket that begins the session `key`.
    pub async fn camera(&self, key: &str) -> Camera {
        Camera::open(self.address(), &format!("/api/ws/{key}"), None)
            .await
            .expect("the socket opens")
    }

    /// A reader of the stream of session `key`, as a player asks for it.
    pub async fn watch(&self, key: &str) -> Viewer {
        let path = format!("/api/sessions/{key}/stream.mjpeg");
        Viewer::open(self.address(), &path, &[])
            .await
            .expect("the stream opens")
    }

    /// The session `key`, from the inside.
    pub fn session(&self, key: &str) -> Arc<Session> {
        self.running
            .store
            .find(key)
            .unwrap_or_else(|| panic!("no session `{key}`"))
    }

    /// One of the numbers in a session's statistics.
    pub fn count(&self, key: &str, counter: &str) -> u64 {
        let session = self.session(key);
        json!(session.stats().report(session.viewers()))[counter]
            .as_u64()
            .unwrap_or_else(|| panic!("no counter `{counter}`"))
    }

    /// Ends the server.
    pub async fn close(self) {
        self.running.stop().await.expect("the server stops");
    }
}

/// Whoever holds a session's control token.
#[derive(Clone, Debug)]
pub struct Owner {
    address: SocketAddr,
    /// The session's name.
    pub id: String,
    /// What steers it.
    pub control: String,
}

impl Owner {
    /// What beginning a session answered.
    ///
    /// # Panics
    /// If that is no session.
    pub fn of(address: SocketAddr, answer: &Value) -> Self {
        let text = |field: &str| answer[field].as_str().expect("a name").to_owned();
        Self {
            address,
            id: text("id"),
            control: text("control"),
        }
    }

    /// A request about this session, with the token.
    pub async fn ask(&self, method: &str, below: &str, body: &[u8]) -> Answer {
        let path = format!("/api/sessions/{}{below}", self.id);
        let bearer = format!("Bearer {}", self.control);
        ask(
            self.address,
            method,
            &path,
            &[("Authorization", &bearer)],
            body,
        )
        .await
    }

    /// A patch of parameters.
    pub async fn patch(&self, patch: Value) -> Answer {
        self.ask("PATCH", "/params", patch.to_string().as_bytes())
            .await
    }

    /// Another row.
    pub async fn switch(&self, row: &str) -> Answer {
        self.ask("PATCH", "", json!({ "row": row }).to_string().as_bytes())
            .await
    }

    /// A picture.
    ///
    /// # Panics
    /// If the server does not take it.
    pub async fn send(&self, picture: &[u8]) {
        let answer = self.ask("POST", "/frame", picture).await;
        assert_eq!(answer.status, 202, "{answer:?}");
    }
}
