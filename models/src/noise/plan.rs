//! A plan: the steps that run, as numbers; and one step applied to latents.

use tch::Tensor;

use super::{NoiseError, NoiseLevels, Prediction};

/// How strength becomes timesteps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Generic image-to-image: the last `int(steps * strength)` of the schedule's full grid run. Strength 1 runs all.
    Generic,
    /// LCM's own image-to-image: its training grid is cut at `strength`, and all steps run on what is left. Schedules
    /// other than LCM have no such grid and take the generic rule.
    LcmOwn,
}

/// The steps of one run, in order. Made anew when steps, strength or schedule change, and good for every frame until then.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// In the order in which they run; never empty.
    pub steps: Vec<Step>,
    /// What unit noise is multiplied with where there is no picture to start from.
    pub noise_scale: f64,
}

/// One step's scalars. Every update is linear in the latent, the denoiser's output, the predicted clean latent and fresh
/// noise, with a clamp of the predicted clean latent between where a config asks for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What the denoiser is told: whole numbers but for Euler's linspace grid.
    pub timestep: f32,
    /// What the latent is multiplied with before the denoiser sees it.
    pub input_scale: f64,
    /// `noisy = clean.0 * latent + clean.1 * noise`, where a picture enters the schedule at this step.
    pub noising: (f64, f64),
    /// `x0 = predicted.0 * latent + predicted.1 * output`.
    pub predicted: (f64, f64),
    /// x0 is held within `-clip..=clip`.
    pub clip: Option<f64>,
    /// `denoised = denoised.0 * x0 + denoised.1 * latent`.
    pub denoised: (f64, f64),
    /// The next latent.
    pub next: Next,
}

/// `next = denoised * denoised + latent * latent + output * output + noise * noise`; a coefficient of zero costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Next {
    /// Factor of the step's `denoised`.
    pub denoised: f64,
    /// Factor of the latent that came in.
    pub latent: f64,
    /// Factor of the denoiser's output.
    pub output: f64,
    /// Factor of fresh noise; zero in the last step, and always outside LCM.
    pub noise: f64,
}

/// What a step leaves: both `[B, 4, H/8, W/8]`, in the kind of the latent that came in.
#[derive(Debug)]
pub struct Stepped {
    /// The latent that the next step takes.
    pub next: Tensor,
    /// The clean latent as it is guessed at this step.
    pub denoised: Tensor,
}

impl Plan {
    /// How many draws of noise a run consumes: the first, and one for each step that injects fresh noise.
    pub fn draws(&self) -> usize {
        1 + self
            .steps
            .iter()
            .filter(|step| step.next.noise != 0.0)
            .count()
    }

    /// The latent that a run without a picture starts from: `noise` `[B, 4, H/8, W/8]` of unit variance, scaled.
    pub fn start(&self, noise: &Tensor) -> Tensor {
        scaled(noise, self.noise_scale)
    }

    /// The latent that a run from a picture starts from. `clean` and `noise` `[B, 4, H/8, W/8]`.
    pub fn add_noise(&self, clean: &Tensor, noise: &Tensor) -> Tensor {
        self.steps[0].add_noise(clean, noise)
    }
}

impl Step {
    /// A step whose next latent is still to be filled in.
    pub(super) fn at(
        timestep: usize,
        levels: &NoiseLevels,
        prediction: Prediction,
        clip: Option<f64>,
    ) -> Result<Self, NoiseError> {
        let (signal, noise) = roots(levels.abar(timestep));
        let predicted = match prediction {
            Prediction::Epsilon if signal == 0.0 => return Err(NoiseError::ZeroSignal(timestep)),
            Prediction::Epsilon => (1.0 / signal, -noise / signal),
            Prediction::Velocity => (signal, -noise),
            Prediction::Sample => (0.0, 1.0),
        };
        Ok(Self {
            timestep: timestep as f32,
            input_scale: 1.0,
            noising: (signal, noise),
            predicted,
            clip,
            denoised: (1.0, 0.0),
            next: Next {
                denoised: 1.0,
                ..Next::default()
            },
        })
    }

    /// `clean` with as much `noise` as belongs to this timestep; both `[B, 4, H/8, W/8]`.
    pub fn add_noise(&self, clean: &Tensor, noise: &Tensor) -> Tensor {
        mix(clean, self.noising.0, &[(noise, self.noising.1)])
    }

    /// What the denoiser is to see of `latent` `[B, 4, H/8, W/8]`.
    pub fn scale_input(&self, latent: &Tensor) -> Tensor {
        scaled(latent, self.input_scale)
    }

    /// Takes `latent` one step on, by what the denoiser said of it; `noise` is one fresh draw and is asked for where
    /// `self.next.noise` is not zero. All `[B, 4, H/8, W/8]`; computed in the kind of `latent`, which should be f32 also
    /// where the network runs in half precision: latents are small, and 1 / sqrt(abar) is 14.6 at timestep 999.
    ///
    /// Panics when the step injects noise and is given none: the plan said so beforehand.
    pub fn apply(&self, latent: &Tensor, output: &Tensor, noise: Option<&Tensor>) -> Stepped {
        let output = output.to_kind(latent.kind());
        let denoised = match self.clip {
            None => mix(
                latent,
                self.denoised.0 * self.predicted.0 + self.denoised.1,
                &[(&output, self.denoised.0 * self.predicted.1)],
            ),
            Some(clip) => {
                let x0 = self.predict(latent, &output).clamp(-clip, clip);
                mix(&x0, self.denoised.0, &[(latent, self.denoised.1)])
            }
        };
        let fresh = match noise {
            Some(noise) => (noise, self.next.noise),
            None => {
                assert_eq!(
                    self.next.noise, 0.0,
                    "the step at timestep {} takes a draw of noise",
                    self.timestep
                );
                (latent, 0.0)
            }
        };
        let next = mix(
            &denoised,
            self.next.denoised,
            &[
                (latent, self.next.latent),
                (&output, self.next.output),
                fresh,
            ],
        );
        Stepped { next, denoised }
    }

    /// The predicted clean latent, in the reference's order: the difference first, then the factor. Under a clamp only
    /// the small values show, and those are what is left of a difference.
    fn predict(&self, latent: &Tensor, output: &Tensor) -> Tensor {
        match self.predicted {
            (0.0, of_output) => scaled(output, of_output),
            (of_latent, of_output) => scaled(
                &mix(latent, 1.0, &[(output, of_output / of_latent)]),
                of_latent,
            ),
        }
    }
}

/// `sqrt(abar)` and `sqrt(1 - abar)`, the difference taken in `f32` as in the reference.
pub(super) fn roots(abar: f32) -> (f64, f64) {
    (f64::from(abar).sqrt(), f64::from(1.0 - abar).sqrt())
}

fn scaled(tensor: &Tensor, factor: f64) -> Tensor {
    if factor == 1.0 {
        tensor.shallow_clone()
    } else {
        tensor * factor
    }
}

/// `tensor * factor` plus the other products; a factor of zero is skipped and one of 1 not multiplied.
fn mix(tensor: &Tensor, factor: f64, others: &[(&Tensor, f64)]) -> Tensor {
    let terms = std::iter::once((tensor, factor)).chain(others.iter().copied());
    let mut sum: Option<Tensor> = None;
    for (term, factor) in terms.filter(|(_, factor)| *factor != 0.0) {
        let term = scaled(&term.to_kind(tensor.kind()), factor);
        sum = Some(match sum {
            Some(sum) => sum + term,
            None => term,
        });
    }
    sum.unwrap_or_else(|| tensor.zeros_like())
}

/// The steps that make at least one run: where `int(steps * strength)` is 0, as many as it takes for one.
/// Strength counts as 0.1 at least.
pub fn repair_steps(steps: usize, strength: f64) -> usize {
    if (steps as f64 * strength) as usize >= 1 {
        return steps;
    }
    (1.0 / strength.max(0.1)).ceil() as usize
}

/// Whether a ControlNet speaks in step `index` of `count`, 1 or 0, to be multiplied with its scale. It does between the
/// shares `start` and `end` (0..=1) of the run.
pub fn controlnet_keep(index: usize, count: usize, start: f64, end: f64) -> f64 {
    let count = count as f64;
    let outside = (index as f64 / count) < start || (index + 1) as f64 / count > end;
    if outside { 0.0 } else { 1.0 }
}
