//! The loop, once, for all pipelines: from noise, or a noised picture, to a clean latent.

use limn_pipeline::{Cancel, PipelineError};
use tch::{TchError, Tensor};

use crate::stages::fault;
use crate::stages::model::Model;
use crate::stages::sheet::{LATENT, Sheet, join};

/// Runs the plan of the first sheet for all of them: B sessions whose batch keys are equal.
///
/// `clean` is the pictures' latents `[B, 4, H/8, W/8]`, or nothing when painting starts from noise; `edges` the maps
/// `[B, 3, H, W]` in 0..1. Returns latents `[B, 4, H/8, W/8]` in f32. Nothing is read back from the device.
///
/// # Errors
/// [`PipelineError::Cancelled`] between two steps when nobody needs the result any more; what torch refuses.
pub(super) fn denoise(
    model: &Model,
    sheets: &[&Sheet],
    clean: Option<&Tensor>,
    edges: Option<&Tensor>,
    cancels: &[&Cancel],
) -> Result<Tensor, PipelineError> {
    let torch = |error: TchError| fault::torch(model.device, &error);
    let lead = sheets[0];
    let conditioning = conditioning(sheets).map_err(torch)?;
    let hint = hint(model, lead, edges).map_err(torch)?;
    let draw = |index: usize| join(sheets.iter().map(|sheet| &sheet.noise[index]));

    let first = draw(0).map_err(torch)?;
    let mut latent = match clean {
        Some(clean) => lead
            .plan
            .add_noise(&clean.f_to_kind(LATENT).map_err(torch)?, &first),
        None => lead.plan.start(&first),
    };
    let mut draws = 1;
    for (step, ready) in lead.plan.steps.iter().zip(&lead.steps) {
        if cancels.iter().all(|cancel| cancel.is_cancelled()) {
            return Err(PipelineError::Cancelled);
        }
        let mut predict = || -> Result<(Tensor, Option<Tensor>), TchError> {
            let input = twice(&step.scale_input(&latent).f_to_kind(model.kind)?, lead)?;
            let residuals = match (&model.controlnet, &ready.control, &hint) {
                (Some(network), Some((time, scale)), Some(hint)) => {
                    Some(network.forward(&input, time, &conditioning, hint, scale)?)
                }
                _ => None,
            };
            let output =
                model
                    .denoiser
                    .forward(&input, &ready.time, &conditioning, residuals.as_ref())?;
            let output = guided(output.f_to_kind(LATENT)?, lead)?;
            let noise = if step.next.noise == 0.0 {
                None
            } else {
                draws += 1;
                Some(draw(draws - 1)?)
            };
            Ok((output, noise))
        };
        let (output, noise) = predict().map_err(torch)?;
        latent = step.apply(&latent, &output, noise.as_ref()).next;
    }
    Ok(latent)
}

/// `[B, N, D]`, or with classifier-free guidance `[2 B, N, D]`, the half without words first.
fn conditioning(sheets: &[&Sheet]) -> Result<Tensor, TchError> {
    let words = join(sheets.iter().map(|sheet| &sheet.conditioning))?;
    match &sheets[0].free_guidance {
        Some((none, _)) => Tensor::f_cat(&[none.f_expand_as(&words)?, words], 0),
        None => Ok(words),
    }
}

/// The edges as the ControlNet reads them: once a frame, whatever the number of steps.
fn hint(model: &Model, lead: &Sheet, edges: Option<&Tensor>) -> Result<Option<Tensor>, TchError> {
    match (&model.controlnet, edges) {
        (Some(network), Some(edges)) if lead.steps.iter().any(|step| step.control.is_some()) => {
            Ok(Some(twice(
                &network.embed_hint(&edges.f_to_kind(model.kind)?)?,
                lead,
            )?))
        }
        _ => Ok(None),
    }
}

/// Classifier-free guidance runs every latent twice.
fn twice(tensor: &Tensor, lead: &Sheet) -> Result<Tensor, TchError> {
    match lead.free_guidance {
        Some(_) => Tensor::f_cat(&[tensor, tensor], 0),
        None => Ok(tensor.shallow_clone()),
    }
}

/// Ho and Salimans 2022: from the prediction without words towards the one with them, and beyond.
fn guided(output: Tensor, lead: &Sheet) -> Result<Tensor, TchError> {
    let Some((_, guidance)) = lead.free_guidance else {
        return Ok(output);
    };
    let halves = output.f_chunk(2, 0)?;
    halves[0].f_add(&halves[1].f_sub(&halves[0])?.f_mul_scalar(guidance)?)
}
