//! A source by NDI: found by its name whenever it is there, waited for when it is not.

use std::sync::Mutex;
use std::thread::sleep;
use std::time::{Duration, Instant};

use limn_ndi::{Finder, Found, Ndi, NdiError, Receiver};
use limn_pipeline::{Frame, Size};
use tokio_util::sync::CancellationToken;

use super::{State, Tap};
use crate::lock::lock;
use crate::ndi::NdiConfig;

/// How long the network is listened to before what it has not said counts as not there.
const PATIENCE: Duration = Duration::from_millis(1500);

/// How often a source that is not there is looked for.
const LOOK: Duration = Duration::from_millis(200);

/// A picture is waited for in pieces of this, so that an end is noticed.
const WAIT: Duration = Duration::from_millis(200);

/// A sender that has said nothing for so long and is not connected is gone.
const GONE: Duration = Duration::from_secs(1);

/// The NDI sources of the network, looked for from the first question on.
pub struct Network {
    config: NdiConfig,
    open: Mutex<Option<(Ndi, Finder)>>,
}

impl Network {
    /// Nothing is loaded or sent yet.
    pub fn new(config: &NdiConfig) -> Self {
        Self {
            config: config.clone(),
            open: Mutex::default(),
        }
    }

    /// All that are known; the first to ask waits for the network's answers. Blocks.
    ///
    /// # Errors
    /// If the NDI library is not there.
    pub fn sources(&self) -> Result<Vec<Found>, NdiError> {
        self.look(|_, finder| finder.sources())
    }

    fn find(&self, name: &str) -> Result<Option<(Ndi, Found)>, NdiError> {
        self.look(|ndi, finder| {
            let found = finder.sources();
            let meant = found.into_iter().find(|found| found.is_called(name))?;
            Some((ndi.clone(), meant))
        })
    }

    fn look<T>(&self, see: impl FnOnce(&Ndi, &mut Finder) -> T) -> Result<T, NdiError> {
        let mut open = lock(&self.open);
        if open.is_none() {
            let ndi = Ndi::load()?;
            let (groups, ips) = (&self.config.ndi_groups, &self.config.ndi_extra_ips);
            let mut finder = Finder::new(&ndi, groups.as_deref(), ips.as_deref())?;
            let start = Instant::now();
            while start.elapsed() < PATIENCE {
                finder.wait(PATIENCE - start.elapsed());
            }
            *open = Some((ndi, finder));
        }
        match open.as_mut() {
            Some((ndi, finder)) => Ok(see(ndi, finder)),
            None => Err(NdiError::Missing),
        }
    }
}

/// Reads the source of that name until `stop`: waits for it, and for its return. Blocks.
pub(super) fn run(name: &str, network: &Network, tap: &Tap, stop: &CancellationToken) {
    let mut told = false;
    while !stop.is_cancelled() {
        let why = match receiver(name, network) {
            Ok(Some(receiver)) => {
                told = false;
                receive(receiver, tap, stop)
            }
            Ok(None) => format!("no NDI source on the network is called `{name}`"),
            Err(error) => error.to_string(),
        };
        if stop.is_cancelled() {
            return;
        }
        if !std::mem::replace(&mut told, true) {
            tracing::warn!("source ndi:{name}: {why}; it is waited for");
        }
        tap.say(State::Reconnecting(why));
        sleep(LOOK);
    }
}

fn receiver(name: &str, network: &Network) -> Result<Option<Receiver>, NdiError> {
    let Some((ndi, found)) = network.find(name)? else {
        return Ok(None);
    };
    tracing::info!("source ndi:{name} is {} at {}", found.name, found.address);
    Receiver::new(&ndi, &found).map(Some)
}

/// Hands on what comes until nothing does; answers why.
fn receive(mut receiver: Receiver, tap: &Tap, stop: &CancellationToken) -> String {
    let mut last = Instant::now();
    while !stop.is_cancelled() {
        match receiver.picture(WAIT) {
            Some(picture) => {
                last = Instant::now();
                let size = Size::new(picture.width, picture.height);
                if let Ok(frame) = Frame::rgb8(size, picture.pixels) {
                    tap.put(frame);
                }
            }
            None if last.elapsed() > GONE && !receiver.is_connected() => break,
            None => {}
        }
    }
    "it is gone".to_owned()
}
