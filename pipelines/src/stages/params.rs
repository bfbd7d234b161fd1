//! What a user may change in every diffusion pipeline. A row narrows the bounds and sets the defaults.

use limn_pipeline::params::choices;
use limn_pipeline::{Params, Size};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How two prompts are mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(transform = choices)]
pub enum BlendMode {
    /// Along the straight line between the conditionings.
    Linear,
    /// Along the arc between them, token by token, so that none becomes weak on the way.
    Spherical,
}

/// Shared by all pipelines that paint from words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PaintParams {
    /// What to paint.
    #[schemars(title = "Prompt", length(max = 4000), extend("x-field" = "textarea"))]
    pub prompt: String,
    /// A second prompt to blend towards.
    #[schemars(title = "Second prompt", length(max = 4000), extend("x-field" = "textarea", "x-advanced" = true))]
    pub prompt_b: String,
    /// How far towards the second prompt.
    #[schemars(title = "Blend", range(min = 0.0, max = 1.0), extend("x-step" = 0.01, "x-advanced" = true))]
    pub blend: f64,
    /// The way from one prompt to the other.
    #[schemars(title = "Blend mode", extend("x-advanced" = true))]
    pub blend_mode: BlendMode,
    /// How much of the camera's picture is repainted; without a picture it means nothing.
    #[schemars(title = "Strength", range(min = 0.1, max = 1.0), extend("x-step" = 0.01))]
    pub strength: f64,
    /// Steps of the noise schedule; more is slower.
    #[schemars(title = "Steps", range(min = 1, max = 15), extend("x-step" = 1))]
    pub steps: u32,
    /// How closely the prompt is followed.
    #[schemars(title = "Guidance", range(min = 0.0, max = 30.0), extend("x-step" = 0.1))]
    pub guidance: f64,
    /// Same seed, same noise in every frame: that keeps the picture calm.
    #[schemars(title = "Seed", range(min = 0, max = 9_007_199_254_740_991_i64), extend("x-field" = "seed"))]
    pub seed: u64,
    /// Pixels from left to right.
    #[schemars(title = "Width", range(min = 64, max = 1024), extend("multipleOf" = 8, "x-advanced" = true))]
    pub width: u32,
    /// Pixels from top to bottom.
    #[schemars(title = "Height", range(min = 64, max = 1024), extend("multipleOf" = 8, "x-advanced" = true))]
    pub height: u32,
}

impl Default for PaintParams {
    fn default() -> Self {
        Self {
            prompt: "portrait of an old robot, oil painting, warm light".to_owned(),
            prompt_b: String::new(),
            blend: 0.0,
            blend_mode: BlendMode::Linear,
            strength: 0.5,
            steps: 1,
            guidance: 1.0,
            seed: 0,
            width: 512,
            height: 512,
        }
    }
}

impl Params for PaintParams {
    fn size(&self) -> Size {
        Size::new(self.width, self.height)
    }
}
