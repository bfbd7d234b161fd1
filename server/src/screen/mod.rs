//! Where pictures are shown: raw frames and placards come in, and leave as JPEG in each rendition that somebody watches.
//! A session has one, and so has the program.

mod compress;
pub mod renditions;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use limn_pipeline::Frame;

use crate::cell::Inlet;
use crate::fanout::audience::Audience;
use crate::fanout::placard::Placard;
use crate::lock::lock;
use crate::metrics::Sent;
use crate::picture::{Picture, Shown};
pub use compress::{compress, say_goodbye};
use renditions::Renditions;

/// One picture at a time, and who looks at it.
pub struct Screen {
    raw: Inlet<Shown>,
    /// How much it has shown; see [`Shown::serial`].
    serial: AtomicU64,
    /// The last picture that is no placard.
    picture: Mutex<Option<Shown>>,
    /// Shared with its viewers' supplies, which must not hold whoever has the screen.
    renditions: Arc<Renditions>,
    audience: Audience,
}

impl Screen {
    /// Shows nothing yet; what its viewers are sent is counted in `sent` as well.
    pub fn new(sent: Sent) -> Self {
        Self {
            raw: Inlet::default(),
            serial: AtomicU64::default(),
            picture: Mutex::default(),
            renditions: Arc::default(),
            audience: Audience::new(sent),
        }
    }

    /// Shows a picture, or the placard of that name.
    pub fn show(&self, frame: Frame, placard: Option<Placard>) {
        self.pass_on(Shown::new(frame, placard.map(Placard::name)));
    }

    /// Shows what another screen shows, which is then compressed once for both.
    pub fn pass_on(&self, shown: Shown) {
        let shown = self.numbered(shown);
        if shown.placard.is_none() {
            *lock(&self.picture) = Some(shown.clone());
        }
        self.raw.set(shown);
    }

    /// The last picture once more, in the place of a placard.
    pub fn show_again(&self) {
        let picture = lock(&self.picture).clone();
        if let Some(shown) = picture {
            self.raw.set(self.numbered(shown));
        }
    }

    fn numbered(&self, shown: Shown) -> Shown {
        Shown {
            serial: self.serial.fetch_add(1, Ordering::Relaxed) + 1,
            ..shown
        }
    }

    /// What is shown, before it is compressed.
    pub fn raw(&self) -> &Inlet<Shown> {
        &self.raw
    }

    /// How much has been shown.
    pub fn count(&self) -> u64 {
        self.serial.load(Ordering::Relaxed)
    }

    /// What is shown as JPEG, in its own size and the server's quality.
    pub fn output(&self) -> &Inlet<Picture> {
        self.renditions.plain()
    }

    /// The same in every size and quality that is watched.
    pub fn renditions(&self) -> &Arc<Renditions> {
        &self.renditions
    }

    /// Who watches.
    pub fn audience(&self) -> &Audience {
        &self.audience
    }

    /// The serial of what is shown now. What lies in [`Screen::output`] may be older, from when somebody last watched: a
    /// new reader passes over it.
    pub fn newest(&self) -> u64 {
        self.raw.latest().map_or(0, |shown| shown.serial)
    }

    /// The newest picture as JPEG; whoever asks counts as a viewer meanwhile, so that it is compressed. Waits for one while
    /// there is none; `None` if the screen goes.
    pub async fn snapshot(&self) -> Option<Picture> {
        let wanted = self.newest();
        let mut feed = self.output().feed();
        loop {
            let picture = feed.next().await?;
            if picture.serial >= wanted && picture.placard.is_none() {
                return Some(picture);
            }
        }
    }

    /// How many readers there are, in whatever rendition.
    pub fn viewers(&self) -> usize {
        self.renditions.readers()
    }
}
