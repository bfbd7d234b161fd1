//! Repaints the camera's picture in one step: SD-Turbo (<https://arxiv.org/abs/2311.17042>) on Euler's schedule.

use limn_models::noise::Rule;
use limn_pipeline::{Input, PipelineInfo, RunsOn};

use crate::painting::Painting;
use crate::stages::params::PaintParams;
use crate::stages::sheet::Manner;

/// Image to image by the generic rule: of all steps the last `strength` of them run.
pub struct Img2Img;

impl Painting for Img2Img {
    type Params = PaintParams;

    const INFO: PipelineInfo = PipelineInfo {
        id: "img2img",
        title: "Image to image",
        summary: "Repaints the camera's picture after a prompt, in a single step.",
        input: Input::Image,
        runs_on: RunsOn::Device,
    };
    const MANNER: Manner = Manner {
        rule: Rule::Generic,
        embeds_guidance: true,
    };

    fn paint(params: &PaintParams) -> &PaintParams {
        params
    }
}
