//! Words to conditioning, each prompt once.

use std::collections::HashMap;

use limn_models::clip::ClipText;
use limn_models::tokenizer::{Tokenizer, Tokens};
use limn_pipeline::PipelineError;
use tch::{Device, Kind, TchError, Tensor};

use crate::stages::fault;
use crate::stages::params::BlendMode;

/// Prompts that are kept. At 77 x 1024 numbers of four bytes one takes 315 kB.
const KEPT: usize = 64;

/// Where token ids come from.
pub enum Words {
    /// The checkpoint's tokenizer.
    Tokenizer(Box<Tokenizer>),
    /// None: random weights have no vocabulary. The prompt's bytes stand for it, within this many tokens.
    Bytes(usize),
}

impl Words {
    fn read(&self, prompt: &str) -> Result<Tokens, PipelineError> {
        match self {
            Self::Tokenizer(tokenizer) => tokenizer
                .encode(prompt)
                .map_err(|error| PipelineError::failed("prompt", error)),
            Self::Bytes(length) => {
                let ids = prompt
                    .bytes()
                    .map(i64::from)
                    .chain(std::iter::repeat(0))
                    .take(*length)
                    .collect();
                Ok(Tokens {
                    ids,
                    left_out: None,
                })
            }
        }
    }
}

/// An encoded prompt.
pub struct Conditioning {
    /// `[1, N, D]`, in the kind and on the device of the text encoder.
    pub tensor: Tensor,
    /// The end of the prompt that the text encoder did not read.
    pub left_out: Option<String>,
}

/// A text encoder that remembers. Shared by all sessions: the same words mean the same to everybody.
pub struct PromptCache {
    words: Words,
    encoder: ClipText,
    kept: HashMap<String, (u64, Conditioning)>,
    /// Counts requests, so that the prompt that was not asked for longest can go.
    clock: u64,
}

impl PromptCache {
    /// A cache with nothing in it.
    pub fn new(words: Words, encoder: ClipText) -> Self {
        Self {
            words,
            encoder,
            kept: HashMap::new(),
            clock: 0,
        }
    }

    /// The conditioning of `prompt`, encoded only when it is new.
    ///
    /// # Errors
    /// When the tokenizer or torch refuses.
    pub fn get(&mut self, device: Device, prompt: &str) -> Result<&Conditioning, PipelineError> {
        self.clock += 1;
        if !self.kept.contains_key(prompt) {
            if self.kept.len() >= KEPT {
                let oldest = self
                    .kept
                    .iter()
                    .min_by_key(|(_, (used, _))| *used)
                    .map(|(prompt, _)| prompt.clone());
                oldest.map(|prompt| self.kept.remove(&prompt));
            }
            let tokens = self.words.read(prompt)?;
            let left_out = tokens.left_out.clone();
            let ids = Tokens::batch(&[tokens]);
            let tensor = self
                .encoder
                .forward(&ids)
                .map_err(|error| fault::torch(device, &error))?;
            self.kept
                .insert(prompt.to_owned(), (0, Conditioning { tensor, left_out }));
        }
        let (used, conditioning) = self.kept.get_mut(prompt).expect("put there above");
        *used = self.clock;
        Ok(conditioning)
    }
}

/// `share` 0..=1 of the way from `a` to `b`, all `[1, N, D]`. Computed in f32, returned in the kind of `a`. Nothing is
/// read back from the device.
///
/// # Errors
/// When torch refuses.
pub fn blend(a: &Tensor, b: &Tensor, share: f64, mode: BlendMode) -> Result<Tensor, TchError> {
    let kind = a.kind();
    let (a, b) = (a.f_to_kind(Kind::Float)?, b.f_to_kind(Kind::Float)?);
    let linear = a.f_lerp(&b, share)?;
    if mode == BlendMode::Linear {
        return linear.f_to_kind(kind);
    }
    // Shoemake 1985, "Animating rotation with quaternion curves", for each token's vector.
    let unit = |x: &Tensor| {
        x.f_div(
            &x.f_norm_scalaropt_dim(2.0, [-1i64], true)?
                .f_clamp_min(1e-8)?,
        )
    };
    let cosine = unit(&a)?
        .f_mul(&unit(&b)?)?
        .f_sum_dim_intlist([-1i64].as_slice(), true, None)?
        .f_clamp_(-1.0, 1.0)?;
    let angle = cosine.f_acos()?;
    let sine = angle.f_sin()?;
    let part = |share: f64| angle.f_mul_scalar(share)?.f_sin_()?.f_div(&sine);
    let arc = a
        .f_mul(&part(1.0 - share)?)?
        .f_add(&b.f_mul(&part(share)?)?)?;
    // Where two vectors point the same way (or opposite ways) there is no arc to speak of.
    arc.f_where_self(&sine.f_gt(1e-4)?, &linear)?
        .f_to_kind(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(numbers: &[f32]) -> Tensor {
        Tensor::from_slice(numbers).view([1, 1, -1])
    }

    fn numbers(tensor: &Tensor) -> Vec<f32> {
        Vec::try_from(tensor.view([-1])).unwrap()
    }

    #[test]
    fn halfway_along_the_line_is_shorter_than_along_the_arc() {
        let (a, b) = (row(&[1.0, 0.0]), row(&[0.0, 1.0]));
        assert_eq!(
            numbers(&blend(&a, &b, 0.5, BlendMode::Linear).unwrap()),
            [0.5, 0.5]
        );
        let arc = numbers(&blend(&a, &b, 0.5, BlendMode::Spherical).unwrap());
        assert!(
            arc.iter().all(|x| (x - 0.5f32.sqrt()).abs() < 1e-6),
            "{arc:?}"
        );
    }

    #[test]
    fn the_ends_are_the_prompts_and_equal_prompts_stay() {
        let (a, b) = (row(&[3.0, 1.0, -2.0]), row(&[0.5, 4.0, 1.0]));
        for mode in [BlendMode::Linear, BlendMode::Spherical] {
            for (share, end) in [(0.0, &a), (1.0, &b)] {
                let blended = numbers(&blend(&a, &b, share, mode).unwrap());
                assert!(
                    blended
                        .iter()
                        .zip(numbers(end))
                        .all(|(x, y)| (x - y).abs() < 1e-5),
                    "{blended:?}"
                );
            }
            let same = numbers(&blend(&a, &a, 0.3, mode).unwrap());
            assert!(
                same.iter()
                    .zip(numbers(&a))
                    .all(|(x, y)| (x - y).abs() < 1e-5),
                "{same:?}"
            );
        }
    }
}
