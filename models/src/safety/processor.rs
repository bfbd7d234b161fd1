//! A picture as CLIP reads it. Reference: `CLIPImageProcessor` of transformers, which resizes with Pillow.

use serde::Deserialize;
use tch::{Kind, TchError, Tensor};

use crate::folder::Folder;
use crate::weights::WeightsError;

/// The name of the configuration in a checker's folder.
const FILE: &str = "preprocessor_config.json";

/// Pillow's number for bicubic resampling.
const BICUBIC: i64 = 3;

/// OpenAI's, red first: what transformers takes where a file says nothing.
const MEAN: [f64; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
const STD: [f64; 3] = [0.268_629_54, 0.261_302_58, 0.275_777_11];

/// Resizes the shorter edge, cuts out the middle, and normalises.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageProcessor {
    /// The shorter edge after resizing, in pixels.
    edge: i64,
    /// The side of the square that is cut out.
    side: i64,
    mean: [f64; 3],
    std: [f64; 3],
}

/// The file's keys. Sizes are numbers in older files and objects in newer ones.
#[derive(Deserialize)]
#[serde(default)]
struct Config {
    do_resize: bool,
    do_center_crop: bool,
    do_rescale: bool,
    do_normalize: bool,
    resample: i64,
    rescale_factor: f64,
    size: Length,
    crop_size: Length,
    image_mean: [f64; 3],
    image_std: [f64; 3],
}

#[derive(Clone, Deserialize, serde::Serialize)]
#[serde(untagged)]
enum Length {
    Number(i64),
    Shortest { shortest_edge: i64 },
    Rectangle { height: i64, width: i64 },
}

impl Default for Config {
    fn default() -> Self {
        Self {
            do_resize: true,
            do_center_crop: true,
            do_rescale: true,
            do_normalize: true,
            resample: BICUBIC,
            rescale_factor: 1.0 / 255.0,
            size: Length::Number(224),
            crop_size: Length::Number(224),
            image_mean: MEAN,
            image_std: STD,
        }
    }
}

impl Default for ImageProcessor {
    /// CLIP's own.
    fn default() -> Self {
        Self {
            edge: 224,
            side: 224,
            mean: MEAN,
            std: STD,
        }
    }
}

impl ImageProcessor {
    /// By the `preprocessor_config.json` of a checker's folder; CLIP's own where there is none.
    ///
    /// # Errors
    /// When the file cannot be read, or asks for what is not built; the key is named.
    pub fn open(folder: &Folder) -> Result<Self, WeightsError> {
        if !folder.has(FILE) {
            return Ok(Self::default());
        }
        let path = folder.path(FILE);
        let text = folder.read_text(FILE);
        let text = text.map_err(|source| WeightsError::Unreadable {
            source,
            path: path.clone(),
        })?;
        Self::from_json(&text).map_err(|error| match error {
            WeightsError::Malformed { reason, .. } => WeightsError::Malformed { reason, path },
            other => other,
        })
    }

    /// By the text of such a file.
    ///
    /// # Errors
    /// As [`ImageProcessor::open`].
    pub fn from_json(text: &str) -> Result<Self, WeightsError> {
        let config: Config =
            serde_json::from_str(text).map_err(|error| WeightsError::Malformed {
                reason: format!("not an image processor's configuration: {error}"),
                path: FILE.into(),
            })?;
        for (key, does) in [
            ("do_resize", config.do_resize),
            ("do_center_crop", config.do_center_crop),
            ("do_rescale", config.do_rescale),
            ("do_normalize", config.do_normalize),
        ] {
            if !does {
                return Err(WeightsError::config(key, does, "where true is built"));
            }
        }
        if config.resample != BICUBIC {
            let reason = "where 3, bicubic, is built";
            return Err(WeightsError::config("resample", config.resample, reason));
        }
        if (config.rescale_factor * 255.0 - 1.0).abs() > 1e-6 {
            let reason = "where 1 / 255 is built";
            let factor = config.rescale_factor;
            return Err(WeightsError::config("rescale_factor", factor, reason));
        }
        let edge = match config.size {
            Length::Number(edge)
            | Length::Shortest {
                shortest_edge: edge,
            } if edge > 0 => edge,
            size => {
                let reason = "where a shortest edge is built";
                return Err(WeightsError::config("size", size, reason));
            }
        };
        let side = match config.crop_size {
            Length::Number(side) if (1..=edge).contains(&side) => side,
            Length::Rectangle { height, width }
                if height == width && (1..=edge).contains(&height) =>
            {
                height
            }
            size => {
                let reason = format!("where a square of at most {edge} is built");
                return Err(WeightsError::config("crop_size", size, reason));
            }
        };
        Ok(Self {
            edge,
            side,
            mean: config.image_mean,
            std: config.image_std,
        })
    }

    /// S, the side of what it makes.
    #[must_use]
    pub fn side(&self) -> i64 {
        self.side
    }

    /// Pictures `[B, 3, H, W]`, RGB in 0..1, as `[B, 3, S, S]` in f32, normalised.
    ///
    /// Every step rounds to bytes as Pillow does, first along the rows and then along the columns, so that a value differs
    /// from the reference's by one byte step at most, where a sum falls between two of them.
    ///
    /// # Errors
    /// When torch refuses, for want of memory.
    pub fn forward(&self, pictures: &Tensor) -> Result<Tensor, TchError> {
        let (_, _, height, width) = pictures.size4()?;
        let short = height.min(width).max(1);
        let (tall, wide) = (self.edge * height / short, self.edge * width / short);
        let mut bytes = to_bytes(&pictures.f_to_kind(Kind::Float)?.f_mul_scalar(255.0)?)?;
        // Pillow leaves out a pass that would change nothing.
        if wide != width {
            bytes = resized(&bytes, [height, wide])?;
        }
        if tall != height {
            bytes = resized(&bytes, [tall, wide])?;
        }
        let middle = bytes
            .f_narrow(2, (tall - self.side) / 2, self.side)?
            .f_narrow(3, (wide - self.side) / 2, self.side)?
            .f_div_scalar(255.0)?;
        // Channel by channel: a tensor of the means would have to come from the host each time.
        let normalised = (0..3).map(|channel| {
            let at = channel as usize;
            middle
                .f_narrow(1, channel, 1)?
                .f_sub_scalar(self.mean[at])?
                .f_div_scalar(self.std[at])
        });
        Tensor::f_cat(&normalised.collect::<Result<Vec<_>, TchError>>()?, 1)
    }
}

/// Bicubic with Pillow's kernel (a = -0.5), as wide as the scale asks for where a picture becomes smaller.
fn resized(bytes: &Tensor, size: [i64; 2]) -> Result<Tensor, TchError> {
    to_bytes(&bytes.f_internal_upsample_bicubic2d_aa(size, false, None, None)?)
}

/// Whole numbers from 0 to 255, still in f32; halves go up, as Pillow's do.
fn to_bytes(values: &Tensor) -> Result<Tensor, TchError> {
    values.f_add_scalar(0.5)?.f_floor_()?.f_clamp_(0.0, 255.0)
}
