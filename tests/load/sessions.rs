//! The sessions that run, each of a `pattern:` with a mark of its own, and those who may draw one.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::api::ask;
use crate::show::Show;
use crate::viewer::{Habits, Visit};

pub const WIDTH: u32 = 320;
pub const HEIGHT: u32 = 240;
const FPS: u32 = 10;

/// A slow viewer hardly takes more.
const LARGE_FPS: u32 = 2;

/// Two cores paint so many a second beside everything else, and hardly more.
const PAINTED_FPS: u32 = 1;

/// What becomes of its pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// They leave as they came, so that their marks can be read.
    Plain,
    /// The same, so large that a slow viewer takes seconds for each.
    Large,
    /// It changes between `passthrough` and `canny`.
    Edges,
    /// The device paints them.
    Painted,
}

#[derive(Clone, Debug)]
pub struct Session {
    pub kind: Kind,
    pub id: String,
    pub control: String,
    pub mark: u16,
}

impl Kind {
    /// Width and height.
    fn size(self) -> (u32, u32) {
        match self {
            Self::Large => (1280, 960),
            Self::Plain | Self::Edges | Self::Painted => (WIDTH, HEIGHT),
        }
    }
}

impl Session {
    pub fn path(&self, below: &str) -> String {
        format!("/api/sessions/{}{below}", self.id)
    }
}

#[derive(Default)]
pub struct Sessions {
    running: Mutex<Vec<Session>>,
    marks: AtomicU16,
}

impl Sessions {
    fn running(&self) -> MutexGuard<'_, Vec<Session>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins one, for everybody to draw.
    pub async fn open(&self, show: &Show, kind: Kind) -> anyhow::Result<Session> {
        let mark = self.marks.fetch_add(1, Ordering::Relaxed);
        let (row, fps) = match kind {
            Kind::Plain => ("passthrough", FPS),
            Kind::Large => ("passthrough", LARGE_FPS),
            Kind::Edges => ("canny", FPS),
            Kind::Painted => ("img2img", PAINTED_FPS),
        };
        let (width, height) = kind.size();
        let body = json!({
            "source": format!("pattern:{width}x{height}@{fps}?mark={mark}"),
            "row": row,
            "params": {"width": width, "height": height},
            "label": format!("mark {mark}"),
        });
        let session = begin(show, kind, mark, &body).await?;
        self.running().push(session.clone());
        Ok(session)
    }

    /// Begins one whose pictures nobody sends, and which nobody draws.
    pub async fn open_empty(&self, show: &Show) -> anyhow::Result<Session> {
        let mark = self.marks.fetch_add(1, Ordering::Relaxed);
        begin(show, Kind::Plain, mark, &json!({})).await
    }

    /// Ends one; nobody draws it any more by then.
    pub async fn end(&self, show: &Show, session: &Session) -> anyhow::Result<()> {
        self.running().retain(|other| other.id != session.id);
        let (path, control) = (session.path(""), Some(session.control.as_str()));
        let answer = ask(show.address, "DELETE", &path, control, b"").await?;
        ensure!(
            answer.status == 204,
            "a session did not end: {}",
            answer.status
        );
        Ok(())
    }

    /// Ends all of them.
    pub async fn end_all(&self, show: &Show) {
        for session in self.all() {
            if let Err(error) = self.end(show, &session).await {
                show.ledger.complain(format!("{error:#}"));
            }
        }
    }

    /// One of those that run, of a kind that is `wanted`.
    pub fn draw(&self, chance: &mut StdRng, wanted: impl Fn(Kind) -> bool) -> Option<Session> {
        let running = self.running();
        let fit: Vec<_> = running
            .iter()
            .filter(|session| wanted(session.kind))
            .collect();
        (!fit.is_empty()).then(|| fit[chance.random_range(0..fit.len())].clone())
    }

    /// Whether it was not ended yet.
    pub fn is_running(&self, session: &Session) -> bool {
        self.running().iter().any(|other| other.id == session.id)
    }

    pub fn all(&self) -> Vec<Session> {
        self.running().clone()
    }

    /// How many were begun.
    pub fn begun(&self) -> u16 {
        self.marks.load(Ordering::Relaxed)
    }

    /// One session of each kind is begun, watched and ended, for what is allocated once.
    pub async fn rehearse(&self, show: &Show, painted: bool) -> anyhow::Result<()> {
        for kind in [Kind::Plain, Kind::Large, Kind::Edges, Kind::Painted] {
            if kind == Kind::Painted && !painted {
                continue;
            }
            let session = self.open(show, kind).await?;
            let habits = Habits {
                stay: Some((2.0, 2.0)),
                ..Habits::reader()
            };
            let visit = Visit::of(show, &habits, session.clone());
            visit.make(&mut show.chance(1)).await?;
            self.end(show, &session).await?;
        }
        // Its end reaches the pool and the device in its own time.
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(())
    }
}

async fn begin(show: &Show, kind: Kind, mark: u16, body: &Value) -> anyhow::Result<Session> {
    let body = body.to_string();
    let answer = ask(show.address, "POST", "/api/sessions", None, body.as_bytes()).await?;
    ensure!(
        answer.status == 201,
        "no session: {} `{}`",
        answer.status,
        String::from_utf8_lossy(&answer.body)
    );
    let answer = answer.json();
    let text = |field: &str| answer[field].as_str().map(str::to_owned);
    let (id, control) = text("id")
        .zip(text("control"))
        .context("a session without a name")?;
    Ok(Session {
        kind,
        id,
        control,
        mark,
    })
}
