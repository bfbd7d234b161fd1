//! What one session keeps between frames: everything that parameters decide and pictures do not.

use limn_models::noise::{
    Plan, Rule, controlnet_keep, draw_noise, guidance_embedding, repair_steps,
};
use limn_pipeline::PipelineError;
use tch::{Kind, TchError, Tensor};

use crate::stages::fault;
use crate::stages::model::Model;
use crate::stages::params::{BlendMode, PaintParams};
use crate::stages::prompt_cache::{self, PromptCache};

/// How a ControlNet takes part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Control {
    /// What its residuals are multiplied with.
    pub scale: f64,
    /// It speaks from this share of the run, 0..=1,
    pub start: f64,
    /// to this one.
    pub end: f64,
}

/// How a pipeline turns parameters into a run; the same for all its sessions.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// How strength becomes timesteps.
    pub rule: Rule,
    /// Whether the guidance goes into the denoiser's embedding, where the denoiser has a place for it. Everywhere else
    /// it is classifier-free guidance, and only above 1.
    pub embeds_guidance: bool,
}

/// One step, ready to run.
pub(super) struct Step {
    /// The denoiser's embedding of the timestep, `[1, 4 C]`.
    pub(super) time: Tensor,
    /// The ControlNet's embedding and scale, where it speaks in this step.
    pub(super) control: Option<(Tensor, Tensor)>,
}

/// Plan, noise, conditioning and embeddings: made when parameters change, and on the device from then on.
pub struct Sheet {
    pub(super) plan: Plan,
    pub(super) steps: Vec<Step>,
    /// Whether the run starts from a picture.
    pub(super) from_picture: bool,
    /// The draw that the encoder takes, where it takes one: `[1, C, H/8, W/8]`, f32.
    pub(super) encoder_noise: Option<Tensor>,
    /// One draw for the start, one for each step that injects noise: the same shape and kind.
    pub(super) noise: Vec<Tensor>,
    /// `[1, N, D]`.
    pub(super) conditioning: Tensor,
    /// Classifier-free guidance: the conditioning of no words, and how far to go beyond it.
    pub(super) free_guidance: Option<(Tensor, f64)>,
    /// The words that the text encoder did not read, until somebody has been told.
    pub(super) left_out: Option<String>,
    /// What all but the conditioning was made with.
    made_with: (PaintParams, Option<Control>),
}

impl Sheet {
    /// Makes a session's sheet. The prompt is encoded only if it is new to `prompts`.
    ///
    /// # Errors
    /// When the schedule, the tokenizer or torch refuses.
    pub(super) fn new(
        model: &Model,
        prompts: &mut PromptCache,
        manner: Manner,
        params: &PaintParams,
        control: Option<Control>,
        from_picture: bool,
    ) -> Result<Self, PipelineError> {
        let torch = |error: TchError| fault::torch(model.device, &error);
        let plan = plan(model, manner.rule, params, from_picture)?;

        let dims = model.guidance_dims.filter(|_| manner.embeds_guidance);
        let embedded = match dims {
            Some(dims) => Some(
                guidance_embedding(params.guidance, dims)
                    .f_to_device(model.device)
                    .map_err(torch)?,
            ),
            None => None,
        };
        let (conditioning, left_out) = conditioning(model, prompts, params)?;
        let free_guidance = if dims.is_none() && params.guidance > 1.0 {
            Some((
                prompts.get(model.device, "")?.tensor.shallow_clone(),
                params.guidance,
            ))
        } else {
            None
        };

        // In diffusers' order: the encoder's draw, the first noise, one for each step.
        let samples = from_picture && model.autoencoder.samples();
        let shape = [
            1,
            model.latent_channels,
            i64::from(params.height / 8),
            i64::from(params.width / 8),
        ];
        let mut noise = draw_noise(params.seed, &shape, plan.draws() + usize::from(samples))
            .iter()
            .map(|draw| draw.f_to_device(model.device))
            .collect::<Result<Vec<_>, _>>()
            .map_err(torch)?;
        let encoder_noise = samples.then(|| noise.remove(0));

        let steps = steps(model, &plan, embedded.as_ref(), control).map_err(torch)?;
        Ok(Self {
            plan,
            steps,
            from_picture,
            encoder_noise,
            noise,
            conditioning,
            free_guidance,
            left_out,
            made_with: (wordless(params), control),
        })
    }

    /// Takes other words or another blend, if nothing else of `params` differs from what the sheet was made with; false if
    /// a new sheet is needed. A cross-fade changes the words with every frame.
    ///
    /// # Errors
    /// When the tokenizer or torch refuses.
    pub(super) fn reword(
        &mut self,
        model: &Model,
        prompts: &mut PromptCache,
        params: &PaintParams,
        control: Option<Control>,
        from_picture: bool,
    ) -> Result<bool, PipelineError> {
        if self.from_picture != from_picture || self.made_with != (wordless(params), control) {
            return Ok(false);
        }
        (self.conditioning, self.left_out) = conditioning(model, prompts, params)?;
        Ok(true)
    }
}

/// The parameters without those that make the conditioning.
fn wordless(params: &PaintParams) -> PaintParams {
    PaintParams {
        prompt: String::new(),
        prompt_b: String::new(),
        blend: 0.0,
        blend_mode: BlendMode::Linear,
        ..params.clone()
    }
}

/// The conditioning `[1, N, D]` of both prompts, and the words that the text encoder did not read.
fn conditioning(
    model: &Model,
    prompts: &mut PromptCache,
    params: &PaintParams,
) -> Result<(Tensor, Option<String>), PipelineError> {
    let first = prompts.get(model.device, &params.prompt)?;
    let (tensor, left_out) = (first.tensor.shallow_clone(), first.left_out.clone());
    if params.blend == 0.0 || params.prompt_b.is_empty() {
        return Ok((tensor, left_out));
    }
    let second = prompts.get(model.device, &params.prompt_b)?;
    let left_out = left_out.or_else(|| second.left_out.clone());
    let blended = prompt_cache::blend(&tensor, &second.tensor, params.blend, params.blend_mode)
        .map_err(|error| fault::torch(model.device, &error))?;
    Ok((blended, left_out))
}

fn plan(
    model: &Model,
    rule: Rule,
    params: &PaintParams,
    from_picture: bool,
) -> Result<Plan, PipelineError> {
    let mut steps = params.steps as usize;
    let strength = if from_picture { params.strength } else { 1.0 };
    if rule == Rule::Generic {
        steps = repair_steps(steps, strength);
    }
    // LCM's own grid has few places at a low strength; as many steps as fit are what was meant.
    let steps = steps.min(model.schedule.most_steps(strength, rule));
    model
        .schedule
        .plan(steps, strength, rule)
        .map_err(|error| PipelineError::failed("noise schedule", error))
}

fn steps(
    model: &Model,
    plan: &Plan,
    guidance: Option<&Tensor>,
    control: Option<Control>,
) -> Result<Vec<Step>, TchError> {
    let count = plan.steps.len();
    let speaks = |index| {
        let (network, control) = model.controlnet.as_ref().zip(control)?;
        let scale = control.scale * controlnet_keep(index, count, control.start, control.end);
        (scale != 0.0).then_some((network, scale))
    };
    let embed = |(index, step): (usize, &limn_models::noise::Step)| {
        let timestep = Tensor::f_from_slice(&[step.timestep])?.f_to_device(model.device)?;
        let control = match speaks(index) {
            Some((network, scale)) => {
                let scale = Tensor::f_from_slice(&[scale])?
                    .f_to_kind(model.kind)?
                    .f_view([1, 1, 1, 1])?;
                Some((
                    network.embed_time(&timestep, None)?,
                    scale.f_to_device(model.device)?,
                ))
            }
            None => None,
        };
        Ok(Step {
            time: model.denoiser.embed_time(&timestep, guidance)?,
            control,
        })
    };
    plan.steps
        .iter()
        .enumerate()
        .map(embed)
        .collect::<Result<_, _>>()
}

/// Numbers that several sessions share one call with: `[B, ...]` out of one `[1, ...]` each.
pub(super) fn join<'a>(parts: impl Iterator<Item = &'a Tensor>) -> Result<Tensor, TchError> {
    let parts: Vec<&Tensor> = parts.collect();
    match parts[..] {
        [one] => Ok(one.shallow_clone()),
        _ => Tensor::f_cat(&parts, 0),
    }
}

/// f32 is what latents are kept in, whatever the network's kind.
pub(super) const LATENT: Kind = Kind::Float;
