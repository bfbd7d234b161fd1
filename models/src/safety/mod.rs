//! Whether a picture may be shown: the safety checker of Stable Diffusion. Reference: `StableDiffusionSafetyChecker` of
//! diffusers 0.42, `pipelines/stable_diffusion/safety_checker.py`.
//!
//! ```text
//!   picture ─► processor ─► CLIP that sees ─► projection ─► cosines with 17 concepts, and with 3 of special care ─► verdict
//! ```

mod processor;

use serde::Deserialize;
use tch::{Kind, TchError, Tensor};

use crate::clip::{ClipVision, ClipVisionConfig};
use crate::layers::Linear;
use crate::weights::{Scope, WeightsError};

pub use processor::ImageProcessor;

/// Concepts that flag a picture, and concepts that make the checker stricter; diffusers has no key for their number.
const CONCEPTS: i64 = 17;
const SPECIAL_CARE: i64 = 3;

/// What special care adds to every score of the first kind.
const ADJUSTMENT: f64 = 0.01;

/// Scores are rounded to three digits before they are held against zero.
const DIGITS: f64 = 1e3;

/// A checker's `config.json`, with the defaults of transformers' `CLIPConfig`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct SafetyCheckerConfig {
    /// P, the width in which pictures and concepts are compared: 768.
    pub projection_dim: i64,
    /// The half of CLIP that sees.
    pub vision_config: Option<ClipVisionConfig>,
    /// The same as older files say it; where both are there, transformers reads this one.
    pub vision_config_dict: Option<ClipVisionConfig>,
}

impl Default for SafetyCheckerConfig {
    fn default() -> Self {
        Self {
            projection_dim: 512,
            vision_config: None,
            vision_config_dict: None,
        }
    }
}

impl SafetyCheckerConfig {
    /// The configuration of the half of CLIP that sees.
    #[must_use]
    pub fn vision(&self) -> ClipVisionConfig {
        let configs = [&self.vision_config_dict, &self.vision_config];
        configs
            .into_iter()
            .flatten()
            .next()
            .cloned()
            .unwrap_or_default()
    }
}

/// A loaded safety checker.
pub struct SafetyChecker {
    processor: ImageProcessor,
    vision: ClipVision,
    projection: Linear,
    concepts: Concepts,
    special_care: Concepts,
    kind: Kind,
}

impl SafetyChecker {
    /// What the files may hold beside the weights: the numbers of the patches, which older files saved as a buffer.
    pub const IGNORED: &'static [&'static str] = &["position_ids"];

    /// Builds the checker from the root of its weights. Whatever their kind, thresholds and concepts are kept in f32.
    ///
    /// # Errors
    /// When the config asks for what is not built, the processor makes pictures of another size, or a tensor is missing or
    /// of another shape.
    pub fn load(
        scope: &Scope<'_>,
        config: &SafetyCheckerConfig,
        processor: ImageProcessor,
    ) -> Result<Self, WeightsError> {
        let (vision, width) = (config.vision(), config.projection_dim);
        if processor.side() != vision.image_size {
            let reason = format!("and the image processor's crop_size {}", processor.side());
            return Err(WeightsError::config(
                "image_size",
                vision.image_size,
                reason,
            ));
        }
        Ok(Self {
            processor,
            vision: ClipVision::load(&scope.sub("vision_model"), &vision)?,
            projection: Linear::load_without_bias(
                &scope.sub("visual_projection"),
                vision.hidden_size,
                width,
            )?,
            concepts: Concepts::load(scope, "concept_embeds", CONCEPTS, width)?,
            special_care: Concepts::load(scope, "special_care_embeds", SPECIAL_CARE, width)?,
            kind: scope.kind(),
        })
    }

    /// One verdict for each picture `[B, 3, H, W]`, RGB in 0..1, of any size: `[B]`, bool, true where it is flagged. It
    /// stays on the device.
    ///
    /// # Errors
    /// When torch refuses, for want of memory.
    pub fn verdicts(&self, pictures: &Tensor) -> Result<Tensor, TchError> {
        self.judge(&self.embed(&self.processor.forward(pictures)?)?)
    }

    /// The embeddings `[B, P]`, f32, of processed pictures `[B, 3, S, S]`.
    ///
    /// # Errors
    /// When torch refuses: another size, no memory.
    pub fn embed(&self, processed: &Tensor) -> Result<Tensor, TchError> {
        let pooled = self.vision.forward(&processed.f_to_kind(self.kind)?)?;
        self.projection.forward(&pooled)?.f_to_kind(Kind::Float)
    }

    /// The verdicts `[B]` on embeddings `[B, P]`, f32.
    ///
    /// The reference adds the adjustment from the first concept of special care on that scores; whether later ones of that
    /// kind score with it changes nothing, so asking whether any scores without it is the same.
    ///
    /// # Errors
    /// When torch refuses, for want of memory.
    pub fn judge(&self, embeddings: &Tensor) -> Result<Tensor, TchError> {
        let embeddings = normalised(embeddings)?;
        let care = scores(&self.special_care.excess(&embeddings)?)?;
        let adjustment = care.f_to_kind(Kind::Float)?.f_mul_scalar(ADJUSTMENT)?;
        let excess = self.concepts.excess(&embeddings)?;
        scores(&excess.f_add(&adjustment.f_unsqueeze(1)?)?)
    }
}

/// Directions in the space of embeddings, and the cosine from which on each counts.
struct Concepts {
    embeds: Tensor,
    thresholds: Tensor,
}

impl Concepts {
    fn load(scope: &Scope<'_>, name: &str, count: i64, width: i64) -> Result<Self, WeightsError> {
        Ok(Self {
            embeds: scope.exact(name, &[count, width])?,
            thresholds: scope.exact(format!("{name}_weights"), &[count])?,
        })
    }

    /// By how much the cosines of normalised embeddings `[B, P]` exceed the thresholds: `[B, concepts]`.
    fn excess(&self, embeddings: &Tensor) -> Result<Tensor, TchError> {
        embeddings
            .f_matmul(&normalised(&self.embeds)?.f_transpose(0, 1)?)?
            .f_sub(&self.thresholds)
    }
}

/// Whether any of a picture's scores `[B, concepts]` is above zero once it is rounded: `[B]`, bool. A score that is no number,
/// as of a network that ran out of its kind's range, counts as well: the reference would let such a picture pass.
fn scores(excess: &Tensor) -> Result<Tensor, TchError> {
    excess
        .f_mul_scalar(DIGITS)?
        .f_round()?
        .f_le(0.0)?
        .f_all_dim(1, false)?
        .f_logical_not()
}

/// Rows of length 1, as `torch.nn.functional.normalize`.
fn normalised(rows: &Tensor) -> Result<Tensor, TchError> {
    let length = rows
        .f_norm_scalaropt_dim(2.0, [1], true)?
        .f_clamp_min(1e-12)?;
    rows.f_div(&length)
}
