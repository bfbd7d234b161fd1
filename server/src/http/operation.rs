//! What is said of a route: one line of the table.

use actix_web::Route;
use serde_json::Value;

use crate::access::Right;

/// What a request carries.
pub enum Body {
    /// Nothing.
    Empty,
    /// JSON after this schema, of so many bytes at most; it may be left out where that is so.
    Json(fn() -> Value, Needed, usize),
    /// The bytes of a JPEG, PNG or WebP.
    Picture(Needed),
}

/// Whether a body may be left out.
#[derive(PartialEq, Eq)]
pub enum Needed {
    /// It may not.
    Yes,
    /// It may.
    No,
}

/// What an answer is, if it is no error.
pub enum Answer {
    /// JSON after this schema, with this status.
    Json(u16, fn() -> Value),
    /// One picture.
    Jpeg,
    /// Multipart MJPEG without end.
    Stream,
    /// Server-sent events without end.
    Events,
    /// A WebSocket.
    Socket,
    /// A page.
    Html,
    /// Lines for a program.
    Text,
    /// 204.
    Nothing,
}

/// One route.
pub struct Operation {
    /// As OpenAPI writes it: `get`.
    pub method: &'static str,
    /// `{key}` is a session's id.
    pub path: &'static str,
    pub(super) route: fn() -> Route,
    /// One sentence.
    pub says: &'static str,
    /// The schema of what may stand behind the `?`, where anything may; what all streams take is not in it.
    pub query: &'static [fn() -> Value],
    /// What it takes.
    pub body: Body,
    /// What it gives.
    pub answer: Answer,
    /// What a caller must be allowed to; `None`: nothing.
    pub right: Option<Right>,
}

impl Operation {
    /// Whether it answers this method.
    pub fn is(&self, method: &str) -> bool {
        self.method.eq_ignore_ascii_case(method)
    }

    /// Whether it is about the program.
    pub fn is_of_program(&self) -> bool {
        matches!(
            self.path,
            "/stream.mjpeg" | "/snapshot.jpg" | "/api/program" | "/api/program/events"
        )
    }
}
