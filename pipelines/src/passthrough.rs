//! The smallest pipeline: what comes in goes out. Copy this file to begin one of your own.
//!
//! A pipeline is two types and a registry line:
//!
//! 1. a parameter struct. Its doc comments, bounds and defaults are the only place where these are written: the panel
//!    draws sliders from them, the door checks against them, the docs print them;
//! 2. a type that holds what is loaded once (weights, tables; here nothing) and implements [`Pipeline`];
//! 3. a row in [`crate::rows`] and a line in [`crate::registry`].
//!
//! What a session needs to remember between its frames goes into `State`, never into the pipeline itself: one pipeline
//! paints for everybody.

use limn_pipeline::{
    Input, Job, LoadContext, Output, Params, Pipeline, PipelineError, PipelineInfo, Row, RunsOn,
    Size,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a user may change. `Default` gives the defaults; a row in [`crate::rows`] may change them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PassthroughParams {
    /// Pixels from left to right.
    #[schemars(title = "Width", range(min = 64, max = 1920), extend("multipleOf" = 8, "x-advanced" = true))]
    pub width: u32,
    /// Pixels from top to bottom.
    #[schemars(title = "Height", range(min = 64, max = 1920), extend("multipleOf" = 8, "x-advanced" = true))]
    pub height: u32,
}

impl Default for PassthroughParams {
    fn default() -> Self {
        Self {
            width: 512,
            height: 512,
        }
    }
}

impl Params for PassthroughParams {
    fn size(&self) -> Size {
        Size::new(self.width, self.height)
    }
}

/// Gives every picture back as it came. What it holds would be loaded weights; it needs none.
pub struct Passthrough;

impl Pipeline for Passthrough {
    type Params = PassthroughParams;
    type State = ();

    const INFO: PipelineInfo = PipelineInfo {
        id: "passthrough",
        title: "Passthrough",
        summary: "Shows the camera as it is, to test the road.",
        input: Input::Image,
        runs_on: RunsOn::Cpu,
    };
    const READS_PIXELS: bool = false;

    fn load(_: &LoadContext<'_>, _: &Row) -> Result<Self, PipelineError> {
        Ok(Self)
    }

    fn open(&mut self, _: &PassthroughParams) -> Result<(), PipelineError> {
        Ok(())
    }

    /// The server has cropped or letterboxed the picture to the parameters' size already. If nothing had to be
    /// changed it still carries the JPEG that it came as, and those bytes go out again.
    fn process(&mut self, job: Job<'_, Self>) -> Result<Output, PipelineError> {
        match &job.prepared.picture {
            Some(picture) => Ok(picture.clone().into()),
            None => Err(PipelineError::NoPicture {
                pipeline: Self::INFO.id.to_owned(),
            }),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use limn_pipeline::{Cancel, Frame, HostJob, PipelineEntry, Prepared, SessionId};

    use super::*;
    use crate::rows;

    fn turn(picture: Option<Frame>) -> Result<Output, PipelineError> {
        let entry = PipelineEntry::of::<Passthrough>(rows::PASSTHROUGH);
        let row = &entry.rows[0];
        let mut host = (entry.load)(&LoadContext::default(), row).unwrap();
        let params = (entry.door)(row).defaults().clone();
        let prepared = if picture.is_some() {
            (entry.prepare)(picture, &params).unwrap()
        } else {
            Prepared::default()
        };
        host.turn(&[HostJob {
            session: SessionId(1),
            params,
            prepared,
            cancel: Cancel::default(),
        }])
        .remove(0)
    }

    #[test]
    fn the_picture_and_its_jpeg_leave_as_they_came() {
        let mut frame = Frame::filled(Size::new(512, 512), [1, 2, 3]);
        frame.jpeg = Some(vec![0xFF, 0xD8].into());
        frame.sequence = 7;
        let output = turn(Some(frame.clone())).unwrap();
        assert!(output.frame.same_picture(&frame));
        assert_eq!((output.frame.jpeg, output.frame.sequence), (frame.jpeg, 7));
    }

    #[test]
    fn no_picture_is_said_so() {
        let error = turn(None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "pipeline `passthrough` needs a picture and none came"
        );
    }
}
