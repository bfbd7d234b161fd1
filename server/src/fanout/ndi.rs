//! The program as an NDI source: one name for as long as the server lives.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use clap::Args;
use limn_ndi::{Ndi, NdiError, Sender, Tally, Video};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::uyvy;
use crate::cell::Feed;
use crate::lock::lock;
use crate::picture::Shown;
use crate::pool::Pool;

/// The NDI source.
#[derive(Args, Clone, Debug)]
pub struct NdiConfig {
    /// Mirror the program as the NDI source of this name
    #[arg(long, env = "LIMN_NDI", value_name = "NAME")]
    pub ndi: Option<String>,
    /// Show that source to these groups only, a list with commas
    #[arg(long, env = "LIMN_NDI_GROUPS", value_name = "GROUPS", requires = "ndi")]
    pub ndi_groups: Option<String>,
    /// Do not start without the NDI library
    #[arg(long, env = "LIMN_REQUIRE_NDI", requires = "ndi")]
    pub require_ndi: bool,
}

/// Nothing new for so long, and the last picture is sent again: receivers take silence for an end.
const REPEAT: Duration = Duration::from_secs(1);

/// How often receivers are counted; the library asks for no more.
const COUNT: Duration = Duration::from_secs(1);

/// A source on the network, or why there is none.
pub struct Mirror {
    name: String,
    state: Mutex<State>,
}

#[derive(Clone)]
enum State {
    Unavailable(String),
    Sending { receivers: usize, tally: Tally },
}

impl Mirror {
    /// Begins to send what `feed` shows, if the operator named a source; `fps` is the program's own rate.
    ///
    /// # Errors
    /// With `--require-ndi`, if the library is not there; without it, that is a line in the log.
    pub fn start(
        config: &NdiConfig,
        feed: Feed<Shown>,
        pool: Pool,
        fps: Option<f64>,
    ) -> Result<Option<Arc<Self>>, NdiError> {
        let Some(name) = config.ndi.clone() else {
            return Ok(None);
        };
        let opened = Ndi::load().and_then(|ndi| {
            let sender = Sender::new(&ndi, &name, config.ndi_groups.as_deref())?;
            Ok((ndi.version(), sender))
        });
        let (state, sender) = match opened {
            Ok((version, sender)) => {
                tracing::info!("NDI source `{name}`, by {version}");
                (sending(0, Tally::default()), Some(sender))
            }
            Err(error) if config.require_ndi => return Err(error),
            Err(error) => {
                tracing::warn!("no NDI source: {error}; https://ndi.video has it");
                (State::Unavailable(error.to_string()), None)
            }
        };
        let mirror = Arc::new(Self {
            name,
            state: Mutex::new(state),
        });
        if let Some(sender) = sender {
            tokio::spawn(send(Arc::clone(&mirror), sender, feed, pool, fps));
        }
        Ok(Some(mirror))
    }

    /// What `GET /api/program` says of it.
    pub fn json(&self) -> Value {
        match self.state().clone() {
            State::Unavailable(why) => {
                json!({"name": self.name, "state": "unavailable", "why": why})
            }
            State::Sending { receivers, tally } => json!({
                "name": self.name, "state": "sending", "receivers": receivers,
                "tally": {"program": tally.program, "preview": tally.preview},
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn sending(receivers: usize, tally: Tally) -> State {
    State::Sending { receivers, tally }
}

/// Sends each picture once, converted only while somebody receives; ends with the program.
async fn send(
    mirror: Arc<Mirror>,
    mut sender: Sender,
    mut feed: Feed<Shown>,
    pool: Pool,
    fps: Option<f64>,
) {
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
            *mirror.state() = sending(receivers, sender.tally());
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
            sender.send(video, |out| uyvy::write(shown.frame.pixels(), size, out));
            sender
        };
        match pool.run(work).await {
            Some(back) => sender = back,
            // The panic hook has said why.
            None => {
                *mirror.state() = State::Unavailable("sending a picture panicked".to_owned());
                return;
            }
        }
    }
}

/// The rate that receivers are told: the program's own, or as pictures have come lately.
struct Rate {
    own: Option<f64>,
    interval: Duration,
    last: Option<Instant>,
}

impl Rate {
    fn new(own: Option<f64>) -> Self {
        Self {
            own,
            interval: Duration::from_secs(1) / 30,
            last: None,
        }
    }

    fn beat(&mut self, now: Instant) {
        if let Some(last) = self.last.replace(now) {
            self.interval = (self.interval * 15 + (now - last).min(REPEAT)) / 16;
        }
    }

    /// Of the usual ones exactly: 29.97 is 30000 by 1001.
    fn fraction(&self) -> (u32, u32) {
        let fps = self
            .own
            .unwrap_or_else(|| (1.0 / self.interval.as_secs_f64()).round().max(1.0));
        for whole in [24, 30, 48, 60, 120] {
            if (fps - f64::from(whole) / 1.001).abs() < 0.005 {
                return (whole * 1000, 1001);
            }
        }
        ((fps * 1000.0).round() as u32, 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_exact_fractions() {
        for (fps, fraction) in [
            (30.0, (30_000, 1000)),
            (29.97, (30_000, 1001)),
            (23.976, (24_000, 1001)),
            (12.5, (12_500, 1000)),
        ] {
            assert_eq!(Rate::new(Some(fps)).fraction(), fraction);
        }
        let (mut rate, start) = (Rate::new(None), Instant::now());
        (0..200).for_each(|beat| rate.beat(start + Duration::from_millis(beat * 40)));
        assert_eq!(rate.fraction(), (25_000, 1000));
    }
}
