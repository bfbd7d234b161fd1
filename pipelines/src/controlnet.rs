//! Repaints the camera's picture along its edges: ControlNet (<https://arxiv.org/abs/2302.05543>).

use limn_models::noise::Rule;
use limn_pipeline::{Frame, Input, Params, PipelineInfo, RunsOn, Size};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::painting::Painting;
use crate::stages::edges::{self, EdgeParams};
use crate::stages::params::PaintParams;
use crate::stages::sheet::{Control, Manner};

/// What a user may change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ControlNetParams {
    #[serde(flatten)]
    #[allow(missing_docs, reason = "the fields inside carry the documentation")]
    pub paint: PaintParams,
    /// How strongly the edges hold the picture.
    #[schemars(title = "ControlNet scale", range(min = 0.0, max = 1.0), extend("x-step" = 0.001))]
    pub controlnet_scale: f64,
    /// The edges count from this share of the steps on.
    #[schemars(title = "ControlNet start", range(min = 0.0, max = 1.0), extend("x-step" = 0.001, "x-advanced" = true))]
    pub controlnet_start: f64,
    /// The edges count up to this share of the steps.
    #[schemars(title = "ControlNet end", range(min = 0.0, max = 1.0), extend("x-step" = 0.001, "x-advanced" = true))]
    pub controlnet_end: f64,
    #[serde(flatten)]
    #[allow(missing_docs, reason = "the fields inside carry the documentation")]
    pub edges: EdgeParams,
}

impl Default for ControlNetParams {
    fn default() -> Self {
        Self {
            paint: PaintParams::default(),
            controlnet_scale: 0.8,
            controlnet_start: 0.0,
            controlnet_end: 1.0,
            edges: EdgeParams::default(),
        }
    }
}

impl Params for ControlNetParams {
    fn size(&self) -> Size {
        self.paint.size()
    }
}

/// Image to image by the generic rule, held by a map of edges.
pub struct ControlNet;

impl Painting for ControlNet {
    type Params = ControlNetParams;

    const INFO: PipelineInfo = PipelineInfo {
        id: "controlnet",
        title: "ControlNet",
        summary: "Repaints the camera's picture after a prompt and keeps to its edges.",
        input: Input::Image,
        runs_on: RunsOn::Device,
    };
    // diffusers' ControlNet pipeline passes no `timestep_cond`, also where the denoiser is a latent consistency model.
    const MANNER: Manner = Manner {
        rule: Rule::Generic,
        embeds_guidance: false,
    };

    fn paint(params: &ControlNetParams) -> &PaintParams {
        &params.paint
    }

    fn control(params: &ControlNetParams) -> Option<Control> {
        let ControlNetParams {
            controlnet_scale: scale,
            controlnet_start: start,
            controlnet_end: end,
            ..
        } = *params;
        Some(Control { scale, start, end })
    }

    fn guide(picture: &Frame, params: &ControlNetParams) -> Option<Frame> {
        Some(edges::map(picture, &params.edges))
    }
}
