//! The edge map of a picture: which operator, with which thresholds.

use limn_pipeline::Frame;
use limn_pipeline::params::choices;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stages::blur::gaussian;
use crate::stages::canny::canny;
use crate::stages::grey::Grey;
use crate::stages::sobel::sobel;

/// Which operator finds edges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(transform = choices)]
pub enum Edge {
    /// Thin connected lines: Canny's detector, equal to OpenCV's.
    Canny,
    /// Thick soft lines: the thresholded Sobel operator of older live painters.
    Sobel,
}

/// How Canny's detector measures the length of a gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(transform = choices)]
pub enum Gradient {
    /// |x| + |y|.
    L1,
    /// The square root of x² + y².
    L2,
}

/// What a user may change about edges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct EdgeParams {
    /// Thin lines (canny) or thick soft ones (sobel).
    #[schemars(title = "Edges")]
    pub edge: Edge,
    /// Canny: a weaker edge than this is left out.
    #[schemars(title = "Canny low", range(min = 0, max = 1000), extend("x-step" = 1))]
    pub canny_low: u32,
    /// Canny: a stronger edge than this is always drawn.
    #[schemars(title = "Canny high", range(min = 0, max = 1000), extend("x-step" = 1))]
    pub canny_high: u32,
    /// Canny: how strength is measured, |x| + |y| (l1) or the exact length (l2).
    #[schemars(title = "Canny gradient", extend("x-advanced" = true))]
    pub gradient: Gradient,
    /// Blur before edges are looked for, in pixels; 0 is off.
    #[schemars(title = "Blur", range(min = 0.0, max = 5.0), extend("x-step" = 0.1, "x-advanced" = true))]
    pub blur: f64,
    /// Sobel: at or below this share of the strongest edge, black.
    #[schemars(title = "Sobel low", range(min = 0.0, max = 1.0), extend("x-step" = 0.001, "x-advanced" = true))]
    pub sobel_low: f64,
    /// Sobel: at or above this share of the strongest edge, white.
    #[schemars(title = "Sobel high", range(min = 0.0, max = 1.0), extend("x-step" = 0.001, "x-advanced" = true))]
    pub sobel_high: f64,
}

impl Default for EdgeParams {
    fn default() -> Self {
        Self {
            edge: Edge::Canny,
            canny_low: 100,
            canny_high: 200,
            gradient: Gradient::L1,
            blur: 0.0,
            sobel_low: 0.31,
            sobel_high: 0.125,
        }
    }
}

/// The edges of `picture`, white on black, with its size, sequence and time.
pub fn map(picture: &Frame, params: &EdgeParams) -> Frame {
    let map = match params.edge {
        Edge::Canny => {
            let grey = gaussian(Grey::opencv(picture), params.blur as f32);
            canny(
                &grey,
                f64::from(params.canny_low),
                f64::from(params.canny_high),
                params.gradient,
            )
        }
        Edge::Sobel => {
            let grey = gaussian(Grey::pillow(picture), params.blur as f32);
            sobel(&grey, params.sobel_low as f32, params.sobel_high as f32)
        }
    };
    map.into_frame().stamped_like(picture)
}
