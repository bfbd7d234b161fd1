//! The object-safe face of a pipeline: sessions by name, and the fence that keeps one session's panic to itself.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};

use crate::cancel::Cancel;
use crate::error::PipelineError;
use crate::params::ParamSet;
use crate::pipeline::{Job, Output, Pipeline, Prepared};

/// Names a session to a pipeline; unique while the server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionId(pub u64);

/// One session's frame, as it crosses the inference handle: owned data only.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HostJob {
    /// Whose frame.
    pub session: SessionId,
    /// The session's parameters for this frame.
    pub params: ParamSet,
    /// What the CPU made of the frame.
    pub prepared: Prepared,
    /// Raised by the session; does not cross to another process, where it stays down.
    #[serde(skip)]
    pub cancel: Cancel,
}

/// A loaded pipeline with its types erased; owned by one thread.
pub trait PipelineHost: Send {
    /// See [`Pipeline::describe`].
    fn describe(&self) -> String;
    /// See [`Pipeline::settle`].
    fn settle(&mut self) -> Result<bool, PipelineError>;
    /// Paints jobs that may share one device call (their batch keys are equal), at most one per session; one result
    /// each, in order. A session that is not known yet is opened.
    fn turn(&mut self, jobs: &[HostJob]) -> Vec<Result<Output, PipelineError>>;
    /// Forgets a session; unknown ids are no fault.
    fn close(&mut self, session: SessionId);
    /// How many sessions it remembers.
    fn open_sessions(&self) -> usize;
}

struct Slot<P: Pipeline> {
    state: P::State,
    set: ParamSet,
    typed: P::Params,
    changed: bool,
}

/// Pipeline `P` behind [`PipelineHost`].
pub struct Host<P: Pipeline> {
    pipeline: P,
    slots: HashMap<SessionId, Slot<P>>,
}

impl<P: Pipeline> Host<P> {
    /// A host with no session yet.
    pub fn new(pipeline: P) -> Self {
        Self {
            pipeline,
            slots: HashMap::new(),
        }
    }

    /// Takes the session's slot out of the map, so that several can be borrowed at once; opens it if it is new.
    fn take_slot(&mut self, job: &HostJob) -> Result<Slot<P>, PipelineError> {
        if let Some(mut slot) = self.slots.remove(&job.session) {
            slot.changed = slot.set != job.params;
            if slot.changed {
                slot.typed = job.params.typed()?;
                slot.set = job.params.clone();
            }
            return Ok(slot);
        }
        let typed = job.params.typed::<P::Params>()?;
        let state = fence::<P, _>(|| self.pipeline.open(&typed))??;
        Ok(Slot {
            state,
            set: job.params.clone(),
            typed,
            changed: true,
        })
    }

    /// Puts a slot back after its turn. A session whose step failed is opened anew with its next frame.
    fn keep(&mut self, session: SessionId, slot: Slot<P>, output: &Result<Output, PipelineError>) {
        if matches!(output, Err(PipelineError::Failed { .. })) {
            forget::<P>(slot);
        } else {
            self.slots.insert(session, slot);
        }
    }

    fn run(
        &mut self,
        jobs: &[HostJob],
        slots: &mut [Slot<P>],
    ) -> Result<Vec<Result<Output, PipelineError>>, PipelineError> {
        let typed = jobs
            .iter()
            .zip(slots)
            .map(|(job, slot)| Job {
                prepared: &job.prepared,
                params: &slot.typed,
                changed: slot.changed,
                state: &mut slot.state,
                cancel: &job.cancel,
            })
            .collect();
        let results = fence::<P, _>(|| self.pipeline.process_batch(typed))?;
        if results.len() != jobs.len() {
            return Err(PipelineError::failed(
                P::INFO.id,
                format!("{} results for {} jobs", results.len(), jobs.len()),
            ));
        }
        Ok(results)
    }
}

/// Turns a panic into an error that names the pipeline.
fn fence<P: Pipeline, T>(work: impl FnOnce() -> T) -> Result<T, PipelineError> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let reason = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no message".to_owned());
        PipelineError::Panicked {
            pipeline: P::INFO.id.to_owned(),
            reason,
        }
    })
}

/// Drops a session's state inside the fence: what it holds may panic on its way out.
fn forget<P: Pipeline>(slot: Slot<P>) {
    let _ = fence::<P, _>(|| drop(slot));
}

impl<P: Pipeline> PipelineHost for Host<P> {
    fn describe(&self) -> String {
        self.pipeline.describe()
    }

    fn settle(&mut self) -> Result<bool, PipelineError> {
        fence::<P, _>(|| self.pipeline.settle())?
    }

    fn turn(&mut self, jobs: &[HostJob]) -> Vec<Result<Output, PipelineError>> {
        let mut results: Vec<_> = jobs.iter().map(|_| Err(PipelineError::Cancelled)).collect();
        let (mut ready, mut slots, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for (place, job) in jobs.iter().enumerate() {
            match self.take_slot(job) {
                Ok(slot) => {
                    ready.push(job.clone());
                    slots.push(slot);
                    places.push(place);
                }
                Err(error) => results[place] = Err(error),
            }
        }
        if ready.is_empty() {
            return results;
        }
        match self.run(&ready, &mut slots) {
            Ok(outputs) => {
                for ((output, slot), (job, place)) in
                    outputs.into_iter().zip(slots).zip(ready.iter().zip(places))
                {
                    self.keep(job.session, slot, &output);
                    results[place] = output;
                }
            }
            Err(error) if ready.len() == 1 => results[places[0]] = Err(error),
            // Somebody in the batch panicked. Each runs again alone; only the culprit loses its state, and is opened
            // anew with its next frame.
            Err(_) => {
                for ((job, mut slot), place) in ready.iter().zip(slots).zip(places) {
                    match self.run(std::slice::from_ref(job), std::slice::from_mut(&mut slot)) {
                        Ok(mut outputs) => {
                            let output = outputs.remove(0);
                            self.keep(job.session, slot, &output);
                            results[place] = output;
                        }
                        Err(error) => results[place] = Err(error),
                    }
                }
            }
        }
        results
    }

    fn close(&mut self, session: SessionId) {
        if let Some(slot) = self.slots.remove(&session) {
            forget::<P>(slot);
        }
    }

    fn open_sessions(&self) -> usize {
        self.slots.len()
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::{Read, Write};
    use std::net::Shutdown;
    use std::os::unix::net::UnixStream;

    use serde::Serialize;
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::{Frame, Report, Size, StageTime};

    /// What comes out at the other end of a socket pair, as of a worker process.
    fn crossed<T: Serialize + DeserializeOwned>(value: &T) -> T {
        let (mut here, mut there) = UnixStream::pair().unwrap();
        here.write_all(&serde_json::to_vec(value).unwrap()).unwrap();
        here.shutdown(Shutdown::Write).unwrap();
        let mut bytes = Vec::new();
        there.read_to_end(&mut bytes).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[test]
    fn what_crosses_the_inference_handle_can_cross_to_another_process() {
        let mut frame = Frame::filled(Size::new(4, 2), [1, 2, 3]);
        frame.sequence = 7;
        let job = HostJob {
            session: SessionId(3),
            params: serde_json::from_str(
                r#"{"prompt": "neon", "strength": 0.5, "seed": 9007199254740991}"#,
            )
            .unwrap(),
            prepared: Prepared {
                picture: Some(frame.clone()),
                control: None,
            },
            cancel: Cancel::default(),
        };
        let there = crossed(&job);
        assert_eq!((there.session, &there.params), (job.session, &job.params));
        assert!(there.prepared.same_pictures(&job.prepared));

        let report = Some(Report::PromptTruncated {
            left_out: "the rest".to_owned(),
        });
        let stages = vec![StageTime {
            stage: "denoise".into(),
            millis: 1.5,
        }];
        let output = crossed(&Output {
            frame: frame.clone(),
            report: report.clone(),
            stages,
            flagged: true,
        });
        assert!(output.frame.same_picture(&frame));
        assert_eq!(
            (output.frame.sequence, output.frame.captured),
            (7, frame.captured)
        );
        assert_eq!(
            (
                output.report,
                output.stages[0].stage.as_ref(),
                output.flagged
            ),
            (report, "denoise", true)
        );

        // A worker that knows of no checker says nothing about it.
        let silent = r#"{"frame": FRAME, "report": null, "stages": []}"#;
        let silent = silent.replace("FRAME", &serde_json::to_string(&frame).unwrap());
        assert!(!serde_json::from_str::<Output>(&silent).unwrap().flagged);

        let error: Result<(), _> = Err(PipelineError::failed("img2img", "a reason"));
        assert_eq!(
            crossed(&error).unwrap_err().to_string(),
            "pipeline `img2img` failed: a reason"
        );
    }
}
