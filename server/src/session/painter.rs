//! Where a session's frames are painted: a row is loaded, a frame has its turn, and a device that goes away is waited for.

use std::time::Duration;

use limn_pipeline::{HostJob, Output, PipelineError, PipelineHost, RunsOn};
use rand::RngExt;

use super::Session;
use super::event::Event;
use super::road::{Tools, Turn};
use crate::fanout::placard::Placard;
use crate::listing::Choice;

/// How long a frame waits that found no device.
const NOTICED: Duration = Duration::from_millis(20);

/// Where the session's frames are painted: on the device, or here if the pipeline runs on the CPU.
#[derive(Default)]
pub(super) struct Painter {
    here: Option<(&'static str, Box<dyn PipelineHost>)>,
    /// The row that painted last, where the device may remember the session.
    seat: Option<&'static str>,
    /// The row that the user was last told is ready; `None` while one is loaded.
    told: Option<&'static str>,
    /// Whether the device went away since the last frame.
    lost: bool,
    /// How often it went away under this session's own frames, one after the other.
    losses: u32,
    /// Why the chosen row cannot be loaded, and which choice that was: it is not tried again with each frame.
    failed: Option<(u64, PipelineError)>,
}

impl Painter {
    pub(super) async fn paint(
        &mut self,
        session: &Session,
        tools: &Tools,
        turn: &Turn,
    ) -> Result<Output, PipelineError> {
        if let Some((choices, error)) = &self.failed
            && *choices == turn.choices
        {
            return Err(error.clone());
        }
        let loaded = self.load(session, tools, turn).await;
        let here = loaded.inspect_err(|error| {
            self.failed = Some((turn.choices, error.clone()));
        })?;
        let Choice { entry, row, .. } = turn.choice;
        let job = HostJob {
            session: session.id,
            params: turn.params.clone(),
            prepared: turn.prepared.clone(),
            cancel: session.cancel.clone(),
        };
        let Some(mut host) = here else {
            let key = (entry.batch_key)(&turn.params);
            let painted = tools.inference.turn(row, job, key).await;
            if !matches!(painted, Err(PipelineError::DeviceLost { .. })) {
                (self.lost, self.losses) = (false, 0);
            }
            return painted;
        };
        let painted = tools.pool.run(move || {
            let result = host.turn(std::slice::from_ref(&job)).pop();
            (host, result)
        });
        let (host, result) = painted
            .await
            .ok_or_else(|| PipelineError::failed(entry.info.id, "the CPU pool lost a frame"))?;
        self.here = Some((row.id, host));
        result.unwrap_or(Err(PipelineError::Cancelled))
    }

    /// The device went away; answers how long to wait before the next try. Should it be this session's frames that send it
    /// away, they come ever more rarely: all others paint in between.
    pub(super) fn lose(&mut self, under_it: bool) -> Duration {
        (self.told, self.lost) = (None, true);
        self.losses += u32::from(under_it);
        if !under_it || self.losses == 1 {
            // Whoever looks after the device has to notice as well.
            return NOTICED;
        }
        // Those that shared the call with it must not come back with it.
        let share = rand::rng().random_range(0.5..1.5);
        let pause = f64::from(1_u32 << (self.losses - 2).min(6)) * share;
        Duration::from_secs_f64(pause)
    }

    /// Has the row loaded: its host, if it paints here, and `None` if it paints on the device.
    async fn load(
        &mut self,
        session: &Session,
        tools: &Tools,
        turn: &Turn,
    ) -> Result<Option<Box<dyn PipelineHost>>, PipelineError> {
        let Choice { entry, row, .. } = turn.choice;
        if entry.info.runs_on == RunsOn::Device {
            if self.told != Some(row.id) {
                self.told = None;
                let placard = if self.lost {
                    session.say(Event::Recovering);
                    Placard::Recovering
                } else {
                    session.say(Event::Loading { row: row.id });
                    Placard::Loading(row.id)
                };
                let _waiting = session.condition.wait_for(placard);
                tools.inference.ready(entry, row).await?;
                self.enter(session, tools, row.id);
            }
            return Ok(None);
        }
        let host = match self.here.take() {
            Some((id, host)) if id == row.id => host,
            _ => {
                let inference = tools.inference.clone();
                let loaded = tools.pool.run(move || inference.load_here(entry, row));
                loaded.await.ok_or_else(|| {
                    PipelineError::failed(entry.info.id, "loading panicked; the log says where")
                })??
            }
        };
        if self.told != Some(row.id) {
            self.enter(session, tools, row.id);
        }
        Ok(Some(host))
    }

    /// The row is loaded. What the session left behind at another one is forgotten.
    fn enter(&mut self, session: &Session, tools: &Tools, row: &'static str) {
        if self.seat.replace(row).is_some_and(|seat| seat != row) {
            tools.inference.close(session.id);
        }
        self.told = Some(row);
        session.say(Event::Ready {
            row,
            params: session.params().as_map().clone(),
        });
    }
}
