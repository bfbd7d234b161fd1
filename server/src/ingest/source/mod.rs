//! Sources that the server reads itself: each is opened once, for as long as somebody reads it, and each reader takes the
//! newest picture at its own rate.

mod address;
pub mod allow;
mod child;
mod ffmpeg;
pub mod flag;
pub mod ndi;
mod pattern;
mod ppm;
mod shown;
pub mod url;

use std::sync::{Arc, Weak};
use std::time::Duration;
use std::{io, thread};

use dashmap::DashMap;
use limn_pipeline::{Frame, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::cell::{Feed, Inlet};
use ndi::Network;
use url::{Kind, SourceUrl};

/// How a source stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "state", content = "why", rename_all = "lowercase")]
pub enum State {
    /// It has sent nothing yet.
    Opening,
    /// Pictures come.
    Running,
    /// It broke, for this reason, and is tried again.
    Reconnecting(String),
    /// It has come to its end.
    Ended,
}

/// A source that is open, as a route answers it.
#[derive(Serialize, JsonSchema)]
pub struct OpenSource {
    /// As it was named; of an address in the network only the host, so that two may read the same.
    source: String,
    /// How many sessions read it.
    readers: usize,
    #[serde(flatten)]
    state: State,
}

/// Where a source puts what it reads.
pub struct Tap {
    frames: Inlet<Frame>,
    state: watch::Sender<State>,
}

impl Tap {
    fn put(&self, frame: Frame) {
        self.say(State::Running);
        self.frames.set(frame);
    }

    fn say(&self, state: State) {
        self.state.send_if_modified(|there| {
            let changed = *there != state;
            *there = state;
            changed
        });
    }
}

/// An open source; the last of its readers closes it.
pub struct Source {
    url: SourceUrl,
    tap: Arc<Tap>,
    _running: DropGuard,
}

impl Source {
    /// Its pictures, the newest first.
    pub fn frames(&self) -> Feed<Frame> {
        self.tap.frames.feed()
    }

    /// How it stands, now and whenever that changes.
    pub fn state(&self) -> watch::Receiver<State> {
        self.tap.state.subscribe()
    }

    /// What it is called, without what nobody may see: for people to read, and no key.
    pub fn name(&self) -> String {
        self.url.to_string()
    }
}

/// All that are open.
pub struct Sources {
    open: DashMap<String, Weak<Source>>,
    network: Arc<Network>,
}

impl Sources {
    /// None yet; those by NDI will be looked for on `network`.
    pub fn new(network: Network) -> Self {
        Self {
            open: DashMap::new(),
            network: Arc::new(network),
        }
    }

    /// Where sources by NDI are looked for.
    pub fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// The source of that name, opened if it was not; must be called on a tokio runtime.
    ///
    /// # Errors
    /// If it needs a thread, and the system has none left.
    pub fn open(&self, url: &SourceUrl) -> io::Result<Arc<Source>> {
        self.open.retain(|_, source| source.strong_count() > 0);
        let mut there = self.open.entry(url.key()).or_default();
        if let Some(source) = there.upgrade() {
            return Ok(source);
        }
        let tap = Arc::new(Tap {
            frames: Inlet::default(),
            state: watch::Sender::new(State::Opening),
        });
        let stop = CancellationToken::new();
        self.start(url.clone(), Arc::clone(&tap), stop.clone())?;
        let source = Arc::new(Source {
            url: url.clone(),
            tap,
            _running: stop.drop_guard(),
        });
        *there = Arc::downgrade(&source);
        Ok(source)
    }

    fn start(&self, url: SourceUrl, tap: Arc<Tap>, stop: CancellationToken) -> io::Result<()> {
        if let Kind::Ndi(name) = url.kind {
            let network = Arc::clone(&self.network);
            // The library waits where it is called; a thread of its own may.
            let thread = thread::Builder::new().name("ndi source".to_owned());
            thread.spawn(move || ndi::run(&name, &network, &tap, &stop))?;
            return Ok(());
        }
        tokio::spawn(async move {
            stop.run_until_cancelled(run(&url, &tap)).await;
        });
        Ok(())
    }

    /// Each that is open.
    pub fn opened(&self) -> Vec<OpenSource> {
        let open = self.open.iter().filter_map(|entry| entry.value().upgrade());
        open.map(|source| OpenSource {
            source: source.name().to_owned(),
            readers: source.tap.frames.readers(),
            state: source.tap.state.borrow().clone(),
        })
        .collect()
    }
}

async fn run(url: &SourceUrl, tap: &Tap) {
    match &url.kind {
        Kind::Pattern { size, fps, mark } => {
            let mut ticks = tokio::time::interval(Duration::from_secs_f64(1.0 / fps));
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
            for number in 1.. {
                ticks.tick().await;
                let (size, mark) = (*size, *mark);
                let drawn = tokio::task::spawn_blocking(move || {
                    pattern::draw(size, number, mark, Timestamp::now())
                });
                if let Ok(frame) = drawn.await {
                    tap.put(frame);
                }
            }
        }
        Kind::Image(path) => {
            let path = path.clone();
            let read = tokio::task::spawn_blocking(move || image::open(path));
            match read.await {
                Ok(Ok(picture)) => {
                    let picture = picture.into_rgb8();
                    let size = limn_pipeline::Size::new(picture.width(), picture.height());
                    if let Ok(frame) = Frame::rgb8(size, picture.into_raw()) {
                        tap.put(frame);
                    }
                }
                Ok(Err(error)) => tap.say(State::Reconnecting(error.to_string())),
                Err(_) => tap.say(State::Reconnecting("reading it panicked".to_owned())),
            }
            // The picture stays for whoever reads it.
            std::future::pending::<()>().await;
        }
        Kind::Ffmpeg {
            options,
            input,
            ends,
        } => child::run(url, options, input, *ends, tap).await,
        // It has a thread of its own.
        Kind::Ndi(_) => {}
    }
}
