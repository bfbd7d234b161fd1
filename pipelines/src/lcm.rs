//! Paints in few steps from words alone, or from words and the camera's picture: latent consistency models
//! (<https://arxiv.org/abs/2310.04378>).

use limn_models::noise::Rule;
use limn_pipeline::{Input, PipelineInfo, RunsOn};

use crate::painting::Painting;
use crate::stages::params::PaintParams;
use crate::stages::sheet::Manner;

/// LCM on its own grid: strength cuts the grid, and all steps run on what is left.
pub struct Lcm;

impl Painting for Lcm {
    type Params = PaintParams;

    const INFO: PipelineInfo = PipelineInfo {
        id: "lcm",
        title: "Latent consistency",
        summary: "Paints a prompt in a few steps, from the camera's picture if there is one.",
        input: Input::Either,
        runs_on: RunsOn::Device,
    };
    const MANNER: Manner = Manner {
        rule: Rule::LcmOwn,
        embeds_guidance: true,
    };

    fn paint(params: &PaintParams) -> &PaintParams {
        params
    }
}
