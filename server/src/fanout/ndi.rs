//! The program as an NDI source, under one name for as long as the server lives; and each session as one of its own.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use limn_ndi::{Ndi, NdiError, Sender, Tally, Video};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::Instant;

use super::bgrx;
use super::rate::Rate;
use crate::cell::Feed;
use crate::lock::lock;
use crate::ndi::NdiConfig;
use crate::picture::Shown;
use crate::pool::Pool;

/// Nothing new for so long, and the last picture is sent again: receivers take silence for an end.
const REPEAT: Duration = Duration::from_secs(1);

/// How often receivers are counted; the library asks for no more.
const COUNT: Duration = Duration::from_secs(1);

/// So much of a label is part of a source's name.
const LABEL_CHARS: usize = 60;

/// One source on the network, or why there is none.
pub struct Mirror {
    name: String,
    state: Mutex<State>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "state", rename_all = "lowercase")]
enum State {
    /// There is no source.
    Unavailable {
        /// The reason.
        why: String,
    },
    /// There is one.
    Sending {
        /// Who has it open.
        receivers: usize,
        /// What they do with it.
        tally: Lamps,
    },
}

/// Whether a receiver has it on air.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
struct Lamps {
    program: bool,
    preview: bool,
}

impl From<Tally> for Lamps {
    fn from(Tally { program, preview }: Tally) -> Self {
        Self { program, preview }
    }
}

/// An NDI source, as every answer says it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MirrorState {
    /// The name on the network.
    name: String,
    #[serde(flatten)]
    state: State,
}

impl Mirror {
    fn new(name: String) -> Self {
        Self {
            name,
            state: Mutex::new(State::Sending {
                receivers: 0,
                tally: Lamps::default(),
            }),
        }
    }

    /// How it stands, as every answer says it.
    pub fn report(&self) -> MirrorState {
        MirrorState {
            name: self.name.clone(),
            state: self.state().clone(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn fail(&self, why: impl ToString) {
        *self.state() = State::Unavailable {
            why: why.to_string(),
        };
    }
}

/// All that this server sends by NDI.
pub struct Mirrors {
    config: NdiConfig,
    library: Result<Ndi, NdiError>,
    pool: Pool,
    program: Arc<Mirror>,
    /// What sources are called now: no two may have one name.
    names: Mutex<HashSet<String>>,
}

impl Mirrors {
    /// Finds the library, if the operator named a source.
    ///
    /// # Errors
    /// With `--require-ndi`, if the library is not there; without it, that is a line in the log.
    pub fn start(config: &NdiConfig, pool: &Pool) -> Result<Option<Arc<Self>>, NdiError> {
        if config.require_ndi {
            Ndi::load()?;
        }
        let Some(name) = &config.ndi else {
            return Ok(None);
        };
        let program = Mirror::new(name.clone());
        let library = Ndi::load();
        match &library {
            Ok(ndi) => tracing::info!("NDI source `{name}`, by {}", ndi.version()),
            Err(error) => {
                tracing::warn!("no NDI source: {error}; https://ndi.video has it");
                program.fail(error);
            }
        }
        Ok(Some(Arc::new(Self {
            config: config.clone(),
            library,
            pool: pool.clone(),
            program: Arc::new(program),
            names: Mutex::new(HashSet::from([name.clone()])),
        })))
    }

    /// The program's source.
    pub fn program(&self) -> &Mirror {
        &self.program
    }

    /// Sends the program, whose own rate is `fps`, for as long as there is one.
    pub fn send_program(self: &Arc<Self>, feed: Feed<Shown>, fps: Option<f64>) {
        let mirrors = Arc::clone(self);
        tokio::spawn(async move { mirrors.send(&mirrors.program, feed, fps).await });
    }

    /// A source for a session, called after the program's and `label`; nothing without `--ndi-sessions`.
    pub fn session(&self, label: &str) -> Option<SessionMirror<'_>> {
        if !self.config.ndi_sessions || self.library.is_err() {
            return None;
        }
        let label: String = label.chars().filter(|sign| !sign.is_control()).collect();
        let label: String = label.trim().chars().take(LABEL_CHARS).collect();
        let program = &self.program.name;
        let names = (1..).map(|count| match count {
            1 => format!("{program} ({label})"),
            count => format!("{program} ({label} {count})"),
        });
        let mut taken = lock(&self.names);
        let name = names.into_iter().find(|name| taken.insert(name.clone()))?;
        Some(SessionMirror {
            mirror: Arc::new(Mirror::new(name)),
            mirrors: self,
        })
    }

    /// Sends each picture once, converted only while somebody receives; until there are no more.
    async fn send(&self, mirror: &Mirror, mut feed: Feed<Shown>, fps: Option<f64>) {
        let Ok(ndi) = &self.library else { return };
        let mut sender = match Sender::new(ndi, &mirror.name, self.config.ndi_groups.as_deref()) {
            Ok(sender) => sender,
            Err(error) => {
                tracing::warn!("no NDI source `{}`: {error}", mirror.name);
                return mirror.fail(error);
            }
        };
        let mut last: Option<Shown> = None;
        let mut receivers = 0;
        let (mut counted, mut rate) = (None::<Instant>, Rate::new(fps));
        loop {
            tokio::select! {
                shown = feed.next() => match shown {
                    Some(shown) => {
                        rate.beat(Instant::now());
                        last = Some(shown);
                    }
                    None => return,
                },
                () = tokio::time::sleep(REPEAT) => {}
            }
            if counted.is_none_or(|counted| counted.elapsed() >= COUNT) {
                counted = Some(Instant::now());
                receivers = sender.receivers();
                let tally = sender.tally();
                *mirror.state() = State::Sending {
                    receivers,
                    tally: tally.into(),
                };
            }
            let Some(shown) = last.clone() else { continue };
            let size = shown.frame.size();
            if receivers == 0 || !size.width.is_multiple_of(2) {
                continue;
            }
            let video = Video {
                width: size.width,
                height: size.height,
                rate: rate.fraction(),
            };
            let work = move || {
                sender.send(video, |out| bgrx::write(shown.frame.pixels(), out));
                sender
            };
            match self.pool.run(work).await {
                Some(back) => sender = back,
                // The panic hook has said why.
                None => return mirror.fail("sending a picture panicked"),
            }
        }
    }
}

/// A session's source; its name is free again when this goes.
pub struct SessionMirror<'a> {
    /// How it stands.
    pub mirror: Arc<Mirror>,
    mirrors: &'a Mirrors,
}

impl SessionMirror<'_> {
    /// Sends what `feed` shows, until there is no more.
    pub async fn send(&self, feed: Feed<Shown>) {
        self.mirrors.send(&self.mirror, feed, None).await;
    }
}

impl Drop for SessionMirror<'_> {
    fn drop(&mut self) {
        lock(&self.mirrors.names).remove(&self.mirror.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_sources_have_one_name() {
        let mirrors = Mirrors {
            config: NdiConfig {
                ndi: Some("Limn".to_owned()),
                ndi_sessions: true,
                ..NdiConfig::default()
            },
            // Nothing is sent here.
            library: Ndi::load(),
            pool: Pool::start().unwrap(),
            program: Arc::new(Mirror::new("Limn".to_owned())),
            names: Mutex::default(),
        };
        if mirrors.library.is_err() {
            return assert!(mirrors.session("left").is_none());
        }
        let name = |mirror: &SessionMirror| mirror.mirror.name.clone();
        let left = mirrors.session(" left\n").unwrap();
        let other = mirrors.session("left").unwrap();
        assert_eq!(
            (name(&left), name(&other)),
            ("Limn (left)".into(), "Limn (left 2)".into())
        );
        drop(left);
        assert_eq!(name(&mirrors.session("left").unwrap()), "Limn (left)");
    }
}
