//! What is said on the socket of the Real-Time Latent Consistency Model server.
//!
//! The server asks with `send_frame`; the client answers with three messages in order: `{"status":"next_frame"}`, its
//! parameters, a JPEG (left out in text mode). What is not in that protocol goes over statuses that its client ignores:
//! see [`Event`], and `params` and `pipeline` from the client.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use actix_ws::{AggregatedMessage, CloseCode, ProtocolError};
use bytes::Bytes;
use limn_pipeline::{Input, RunsOn, Unknown};
use serde_json::{Map, Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use super::lcm_said::Said;
use crate::http::Rooms;
use crate::http::socket::{Heard, close_code, told};
use crate::refusal::Refusal;
use crate::session::Session;
use crate::session::event::{EndReason, Event};

/// A socket that does not take a message for so long is gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often the client is pinged, and how many pings may go unanswered: a connection that hangs half open must not keep
/// its owner from coming back.
const PING: Duration = Duration::from_secs(2);
const LOST_PINGS: u32 = 3;

/// A slow painter is asked for frames this many times per painting: the newest is then at most so fresh, and the
/// machine does not spend its time on pictures that nobody will paint.
const FRAMES_PER_PAINTING: f64 = 4.0;

/// How often a session that waits for its first painting on the device is asked for frames.
const BEFORE_THE_FIRST: Duration = Duration::from_millis(200);

/// How a socket ended.
pub(super) enum End {
    /// Its client closed it on purpose.
    Left,
    /// Its page goes away, perhaps to be reloaded.
    GoingAway,
    /// It broke; its client may come back until the session is idle for too long.
    Dropped,
    /// The session ended first.
    SessionEnded,
}

/// What the next message should be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expects {
    Beginning,
    Params { picture: bool },
    Picture,
}

/// One socket's conversation.
pub(super) struct Talk {
    rooms: web::Data<Rooms>,
    socket: actix_ws::Session,
    session: Arc<Session>,
    expects: Expects,
    /// When `send_frame` was said last.
    asked: Instant,
    /// When to say `send_frame`; `None` while one is being answered.
    ask_at: Option<Instant>,
    interval: Duration,
    /// When the client last said anything, be it a pong.
    heard: Heard,
}

impl Talk {
    pub(super) fn new(
        rooms: web::Data<Rooms>,
        socket: actix_ws::Session,
        session: Arc<Session>,
        heard: Heard,
    ) -> Self {
        let now = Instant::now();
        Self {
            interval: Duration::from_secs_f64(1.0 / rooms.store.config().max_fps),
            rooms,
            socket,
            session,
            expects: Expects::Beginning,
            asked: now,
            ask_at: None,
            heard,
        }
    }

    pub(super) async fn run(mut self, mut messages: actix_ws::AggregatedMessageStream) -> End {
        let mut events = self.session.events();
        let session = Arc::clone(&self.session);
        for status in [
            json!({"status": "connected", "message": "Connected"}),
            json!({"status": "wait"}),
            json!({"status": "send_frame"}),
        ] {
            if self.say(&status).await.is_break() {
                return End::Dropped;
            }
        }
        // It may have been on air while its socket was gone.
        let on_air = self.rooms.program.on_air().borrow().as_deref() == Some(&session.key);
        if on_air && self.say(&Event::OnAir { on_air }.json()).await.is_break() {
            return End::Dropped;
        }
        // It may have been said while its socket was gone.
        if let Some(draining) = self.rooms.store.notice()
            && self.say(&draining.json()).await.is_break()
        {
            return End::Dropped;
        }
        let mut pings = tokio::time::interval(PING);
        loop {
            let ask_at = self.ask_at;
            let flow = tokio::select! {
                () = session.ended() => return self.session_ended().await,
                message = messages.recv() => match message {
                    Some(Ok(message)) => self.hear(message).await,
                    Some(Err(error)) => return self.broken(error).await,
                    None => ControlFlow::Break(End::Dropped),
                },
                event = events.recv() => match event {
                    Ok(event) => self.say(&event.json()).await,
                    Err(RecvError::Lagged(_)) => ControlFlow::Continue(()),
                    Err(RecvError::Closed) => ControlFlow::Break(End::SessionEnded),
                },
                () = tokio::time::sleep_until(ask_at.unwrap_or_else(Instant::now)), if ask_at.is_some() => {
                    (self.asked, self.ask_at) = (Instant::now(), None);
                    self.say(&json!({"status": "send_frame"})).await
                }
                _ = pings.tick() => self.ping().await,
            };
            if let ControlFlow::Break(end) = flow {
                return end;
            }
        }
    }

    async fn ping(&mut self) -> ControlFlow<End> {
        if self.heard.elapsed() > PING * LOST_PINGS {
            return ControlFlow::Break(End::Dropped);
        }
        match tokio::time::timeout(PATIENCE, self.socket.ping(b"")).await {
            Ok(Ok(())) => ControlFlow::Continue(()),
            _ => ControlFlow::Break(End::Dropped),
        }
    }

    async fn hear(&mut self, message: AggregatedMessage) -> ControlFlow<End> {
        match message {
            AggregatedMessage::Text(text) => self.hear_text(&text).await,
            AggregatedMessage::Binary(bytes) => self.hear_picture(bytes).await,
            AggregatedMessage::Ping(bytes) => {
                if self.socket.pong(&bytes).await.is_err() {
                    return ControlFlow::Break(End::Dropped);
                }
                ControlFlow::Continue(())
            }
            AggregatedMessage::Pong(_) => ControlFlow::Continue(()),
            AggregatedMessage::Close(reason) => {
                let away = reason
                    .as_ref()
                    .is_some_and(|reason| reason.code == CloseCode::Away);
                let _ = self.socket.clone().close(reason).await;
                ControlFlow::Break(if away { End::GoingAway } else { End::Left })
            }
        }
    }

    async fn hear_text(&mut self, text: &str) -> ControlFlow<End> {
        match (self.expects, Said::read(text)) {
            (_, None) => {
                self.refuse_message("a text message is not a json object")
                    .await
            }
            (_, Some(Said::NextFrame { picture })) => {
                self.expects = Expects::Params { picture };
                ControlFlow::Continue(())
            }
            (_, Some(Said::Params(patch))) => self.patch(&patch, Unknown::Refuse).await,
            (_, Some(Said::OnAir(on))) => {
                self.session.agree(on);
                ControlFlow::Continue(())
            }
            (_, Some(Said::Pipeline(None))) => {
                self.refuse(Refusal::new("bad_message", "`pipeline` names no `row`"))
                    .await
            }
            (_, Some(Said::Pipeline(Some(name)))) => {
                let choice = self.rooms.listing.choose(Some(&name));
                let choice = choice.map_err(Refusal::from);
                match choice.and_then(|choice| self.session.change(Some(choice), None)) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(refusal) => self.refuse(refusal).await,
                }
            }
            (Expects::Params { picture }, Some(Said::Bare(patch))) => {
                let flow = self.patch(&patch, Unknown::Ignore).await;
                if self.session.choice().input() == Input::Text || !picture {
                    self.session.upload(None);
                    return if flow.is_break() {
                        flow
                    } else {
                        self.taken().await
                    };
                }
                self.expects = Expects::Picture;
                flow
            }
            (_, Some(Said::Bare(_))) => {
                self.refuse_message("text came where a picture belongs")
                    .await
            }
            (_, Some(Said::Unknown(status))) => {
                self.refuse_message(&format!("unknown status `{status}`"))
                    .await
            }
        }
    }

    async fn hear_picture(&mut self, bytes: Bytes) -> ControlFlow<End> {
        // Empty: the camera has nothing yet.
        if bytes.is_empty() {
            self.session.heard();
        } else {
            self.session.upload(Some(bytes));
        }
        self.taken().await
    }

    /// The answer to one `send_frame` is complete: the next is asked for when its time has come.
    async fn taken(&mut self) -> ControlFlow<End> {
        self.expects = Expects::Beginning;
        let painting = match self.session.stats().paint_millis() {
            Some(millis) => Duration::from_secs_f64(millis / 1000.0 / FRAMES_PER_PAINTING),
            // Nobody knows yet what a painting takes, and the cores have weights to load.
            None if self.session.choice().entry.info.runs_on == RunsOn::Device => BEFORE_THE_FIRST,
            None => Duration::ZERO,
        };
        self.ask_at = Some(self.asked + self.interval.max(painting));
        self.say(&json!({"status": "wait"})).await
    }

    async fn patch(&mut self, patch: &Map<String, Value>, unknown: Unknown) -> ControlFlow<End> {
        match self.session.patch(patch, unknown) {
            Ok(_) => ControlFlow::Continue(()),
            Err(refusal) => self.refuse(refusal).await,
        }
    }

    async fn refuse(&mut self, refusal: Refusal) -> ControlFlow<End> {
        self.say(&Event::Refused(refusal).json()).await
    }

    /// A message that belongs nowhere ends the frame that it came with: another is asked for, since its client, which
    /// takes that one for sent, waits.
    async fn refuse_message(&mut self, what: &str) -> ControlFlow<End> {
        let flow = self.refuse(Refusal::new("bad_message", what)).await;
        if flow.is_break() || self.expects == Expects::Beginning {
            return flow;
        }
        self.taken().await
    }

    async fn say(&mut self, message: &Value) -> ControlFlow<End> {
        match tokio::time::timeout(PATIENCE, self.socket.text(message.to_string())).await {
            Ok(Ok(())) => ControlFlow::Continue(()),
            _ => ControlFlow::Break(End::Dropped),
        }
    }

    async fn session_ended(mut self) -> End {
        let status = match self.session.end_reason() {
            Some(EndReason::Timeout | EndReason::Idle) => "timeout",
            _ => "error",
        };
        let message = match self.session.end_reason() {
            Some(EndReason::Removed) => "The operator has ended your session",
            _ => "Your session has ended",
        };
        // Without words it is no end but a restart, and the page comes back by itself.
        if self.session.end_reason() != Some(EndReason::Draining) {
            let words = json!({"status": status, "message": message});
            let _ = self.say(&words).await;
        }
        let code = close_code(&self.session);
        let _ = self.socket.close(Some(code.into())).await;
        End::SessionEnded
    }

    /// The session waits for its socket to come back.
    async fn broken(mut self, error: ProtocolError) -> End {
        if let Some((refusal, code)) = told(&error) {
            let _ = self.refuse(refusal).await;
            let _ = self.socket.close(Some(code.into())).await;
        }
        End::Dropped
    }
}
