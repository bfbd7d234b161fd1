//! The edges of the camera's picture, white on black, made on the CPU.

use std::time::Instant;

use limn_pipeline::{
    Input, Job, LoadContext, Output, Params, Pipeline, PipelineError, PipelineInfo, Row, RunsOn,
    Size, StageTime,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stages::edges::{self, EdgeParams};

/// What a user may change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CannyParams {
    #[serde(flatten)]
    #[allow(missing_docs, reason = "the fields inside carry the documentation")]
    pub edges: EdgeParams,
    /// Pixels from left to right.
    #[schemars(title = "Width", range(min = 64, max = 1024), extend("multipleOf" = 8, "x-advanced" = true))]
    pub width: u32,
    /// Pixels from top to bottom.
    #[schemars(title = "Height", range(min = 64, max = 1024), extend("multipleOf" = 8, "x-advanced" = true))]
    pub height: u32,
}

impl Default for CannyParams {
    fn default() -> Self {
        Self {
            edges: EdgeParams::default(),
            width: 512,
            height: 512,
        }
    }
}

impl Params for CannyParams {
    fn size(&self) -> Size {
        Size::new(self.width, self.height)
    }
}

/// Paints the edge map that the `controlnet` pipeline paints from.
pub struct Canny;

impl Pipeline for Canny {
    type Params = CannyParams;
    type State = ();

    const INFO: PipelineInfo = PipelineInfo {
        id: "canny",
        title: "Edges",
        summary: "Draws the edges of the camera's picture, as the ControlNet sees them.",
        input: Input::Image,
        runs_on: RunsOn::Cpu,
    };

    fn load(_: &LoadContext<'_>, _: &Row) -> Result<Self, PipelineError> {
        Ok(Self)
    }

    fn open(&mut self, _: &CannyParams) -> Result<(), PipelineError> {
        Ok(())
    }

    fn process(&mut self, job: Job<'_, Self>) -> Result<Output, PipelineError> {
        let Some(picture) = &job.prepared.picture else {
            return Err(PipelineError::NoPicture {
                pipeline: Self::INFO.id.to_owned(),
            });
        };
        let start = Instant::now();
        let frame = edges::map(picture, &job.params.edges);
        let millis = start.elapsed().as_secs_f64() * 1000.0;
        Ok(Output {
            frame,
            report: None,
            stages: vec![StageTime {
                stage: "edges".into(),
                millis,
            }],
            flagged: false,
        })
    }
}
