//! A loaded model at work: pictures up, encode, denoise, decode, pictures down. Every diffusion pipeline holds one.

use limn_models::noise::Rule;
use limn_pipeline::{
    Cancel, Frame, Input, LoadContext, Output, PipelineError, PipelineInfo, Prepared, Report, Row,
    StageTime,
};
use limn_torch_ext::stage_clock::StageClock;
use tch::{TchError, Tensor};

use crate::stages::denoise::denoise;
use crate::stages::guard::{Guarded, Watch};
use crate::stages::model::Model;
use crate::stages::params::PaintParams;
use crate::stages::prompt_cache::PromptCache;
use crate::stages::sheet::{Control, Manner, Sheet, join};
use crate::stages::{fault, pixels};

/// Bytes of weights that move to the device between two frames of others: a few milliseconds over PCIe.
const SETTLE_BYTES: usize = 64 << 20;

/// One session's frame, in the painter's terms.
pub struct Stroke<'a> {
    /// Picture and edges.
    pub prepared: &'a Prepared,
    /// The shared parameters.
    pub params: &'a PaintParams,
    /// How the ControlNet takes part, where there is one.
    pub control: Option<Control>,
    /// Whether parameters differ from those that the easel's sheet was made with.
    pub changed: bool,
    /// What the session keeps.
    pub easel: &'a mut Easel,
    /// Raised when nobody needs this frame any more.
    pub cancel: &'a Cancel,
}

/// What one session keeps between frames.
#[derive(Default)]
pub struct Easel {
    /// What its parameters decide; made with its first frame, which says whether there is a picture.
    sheet: Option<Sheet>,
    /// What the safety checker knows of it.
    watch: Watch,
}

/// Weights, prompts and a clock.
pub struct Painter {
    model: Model,
    prompts: PromptCache,
    manner: Manner,
    /// The pipeline's id, for messages.
    id: &'static str,
    /// What the row paints from.
    input: Input,
    clock: StageClock,
}

impl Painter {
    /// Reads the row's networks into host memory.
    ///
    /// # Errors
    /// [`PipelineError::Load`] when a checkpoint is missing or does not fit.
    pub fn load(
        context: &LoadContext<'_>,
        row: &Row,
        info: PipelineInfo,
        manner: Manner,
    ) -> Result<Self, PipelineError> {
        let rule = match row.rule {
            Some("lcm") => Rule::LcmOwn,
            _ => manner.rule,
        };
        let (model, prompts) = Model::load(context, row)?;
        let clock =
            StageClock::new(model.device).map_err(|error| PipelineError::failed(row.id, error))?;
        Ok(Self {
            model,
            prompts,
            manner: Manner { rule, ..manner },
            id: info.id,
            input: row.input.unwrap_or(info.input),
            clock,
        })
    }

    /// What it paints with, for people.
    pub fn describe(&self) -> &str {
        &self.model.description
    }

    /// Moves the next part of the weights to the device; true once all are there.
    ///
    /// # Errors
    /// [`PipelineError::OutOfMemory`] when the device has no room.
    pub fn settle(&mut self) -> Result<bool, PipelineError> {
        tch::no_grad(|| self.model.settle(SETTLE_BYTES))
    }

    /// Paints strokes whose batch keys are equal; one result each, in order.
    pub fn paint(&mut self, mut strokes: Vec<Stroke<'_>>) -> Vec<Result<Output, PipelineError>> {
        tch::no_grad(|| {
            let mut results: Vec<_> = strokes
                .iter()
                .map(|_| Err(PipelineError::Cancelled))
                .collect();
            let mut begun = vec![false; strokes.len()];
            let _ = self.clock.start();
            for ((stroke, result), begun) in strokes.iter_mut().zip(&mut results).zip(&mut begun) {
                match self.begin(stroke) {
                    Ok(()) => *begun = true,
                    Err(error) => *result = Err(error),
                }
            }
            let _ = self.clock.mark("prompt");
            // A session with a picture and one without cannot share a call, whatever their parameters.
            for from_picture in [true, false] {
                let group: Vec<usize> = (0..strokes.len())
                    .filter(|&at| begun[at] && self.picture(&strokes[at]).is_some() == from_picture)
                    .collect();
                self.paint_group(&mut strokes, &group, &mut results);
            }
            results
        })
    }

    /// What the stroke is painted over. A row that paints from words passes over a picture.
    fn picture<'a>(&self, stroke: &Stroke<'a>) -> Option<&'a Frame> {
        stroke
            .prepared
            .picture
            .as_ref()
            .filter(|_| self.input != Input::Text)
    }

    /// Makes the stroke's sheet if its parameters are new.
    fn begin(&mut self, stroke: &mut Stroke<'_>) -> Result<(), PipelineError> {
        let from_picture = self.picture(stroke).is_some();
        if self.input == Input::Image && !from_picture {
            return Err(PipelineError::NoPicture {
                pipeline: self.id.to_owned(),
            });
        }
        if !stroke.changed
            && (stroke.easel.sheet)
                .as_ref()
                .is_some_and(|sheet| sheet.from_picture == from_picture)
        {
            return Ok(());
        }
        // The old one is taken away first: if the new one fails, the next frame tries again.
        let (model, prompts) = (&self.model, &mut self.prompts);
        let (params, control) = (stroke.params, stroke.control);
        if let Some(mut sheet) = stroke.easel.sheet.take()
            && sheet.reword(model, prompts, params, control, from_picture)?
        {
            stroke.easel.sheet = Some(sheet);
            return Ok(());
        }
        let sheet = Sheet::new(model, prompts, self.manner, params, control, from_picture)?;
        stroke.easel.sheet = Some(sheet);
        Ok(())
    }

    fn paint_group(
        &mut self,
        strokes: &mut [Stroke<'_>],
        group: &[usize],
        results: &mut [Result<Output, PipelineError>],
    ) {
        if group.is_empty() {
            return;
        }
        match self.run(strokes, group) {
            Ok(outputs) => {
                for (&at, output) in group.iter().zip(outputs) {
                    results[at] = match output {
                        _ if strokes[at].cancel.is_cancelled() => Err(PipelineError::Cancelled),
                        Ok(mut output) => {
                            output.report = self.report(strokes[at].easel, output.flagged);
                            Ok(output)
                        }
                        Err(error) => Err(error),
                    };
                }
            }
            // Together they were too large; one by one they may fit.
            Err(PipelineError::OutOfMemory { .. }) if group.len() > 1 => {
                for at in group {
                    let _ = self.clock.start();
                    self.paint_group(strokes, std::slice::from_ref(at), results);
                }
            }
            Err(error) => group
                .iter()
                .for_each(|&at| results[at] = Err(error.clone())),
        }
    }

    /// What the session of a picture that leaves should know. One thing at a time: words that were left out are said with a
    /// later picture if this one's verdict is news.
    fn report(&self, easel: &mut Easel, flagged: bool) -> Option<Report> {
        let guard = self.model.guard.as_ref();
        if let Some(news) = guard.and_then(|guard| guard.note(&mut easel.watch, flagged)) {
            return Some(news);
        }
        let left_out = easel.sheet.as_mut()?.left_out.take()?;
        Some(Report::PromptTruncated { left_out })
    }

    /// One device call for the strokes of `group`. Between the upload and the download nothing is read back.
    fn run(
        &mut self,
        strokes: &[Stroke<'_>],
        group: &[usize],
    ) -> Result<Vec<Result<Output, PipelineError>>, PipelineError> {
        let chosen: Vec<&Stroke<'_>> = group.iter().map(|&at| &strokes[at]).collect();
        let sheets: Vec<&Sheet> = chosen
            .iter()
            .filter_map(|stroke| stroke.easel.sheet.as_ref())
            .collect();
        let cancels: Vec<&Cancel> = chosen.iter().map(|stroke| stroke.cancel).collect();
        let model = &self.model;
        let torch = |error: TchError| fault::torch(model.device, &error);

        let edges = upload(
            model,
            chosen.iter().map(|stroke| stroke.prepared.control.as_ref()),
        )
        .map_err(torch)?;
        let pictures =
            upload(model, chosen.iter().map(|stroke| self.picture(stroke))).map_err(torch)?;
        let clean = match pictures {
            Some(pictures) => Some(encode(model, &pictures, &sheets).map_err(torch)?),
            None => None,
        };
        let _ = self.clock.mark("encode");
        let latent = denoise(model, &sheets, clean.as_ref(), edges.as_ref(), &cancels)?;
        let _ = self.clock.mark("denoise");
        let latent = latent.f_to_kind(model.kind).map_err(torch)?;
        let pictures = model.autoencoder.decode(&latent).map_err(torch)?;
        let sound = pixels::sound(&pictures).map_err(torch)?;
        let frames = self.release(pictures, &chosen)?;
        let sound =
            pixels::verdicts(&sound).map_err(|error| fault::torch(self.model.device, &error))?;

        let stages: Vec<StageTime> = match self.clock.read() {
            Ok(times) => times
                .into_iter()
                .map(|(stage, time)| StageTime {
                    stage: stage.into(),
                    millis: time.as_secs_f64() * 1000.0,
                })
                .collect(),
            Err(error) => return Err(fault::clock(self.model.device, &error)),
        };
        let output =
            |(((frame, flagged), stroke), sound): (((Frame, bool), &&Stroke<'_>), bool)| {
                if !sound {
                    return Err(PipelineError::failed(
                        self.id,
                        "what it painted is no number (NaN)",
                    ));
                }
                let frame = match &stroke.prepared.picture {
                    Some(picture) => frame.stamped_like(picture),
                    None => frame,
                };
                Ok(Output {
                    frame,
                    report: None,
                    stages: stages.clone(),
                    flagged,
                })
            };
        let painted = frames.into_iter().zip(&chosen).zip(sound);
        Ok(painted.map(output).collect())
    }

    /// Painted pictures `[B, 3, H, W]` as frames, and whether each was flagged: those that were are blurred before they
    /// leave the device. `safety` is timed where the checker looked, which it does not at every picture.
    fn release(
        &mut self,
        pictures: Tensor,
        strokes: &[&Stroke<'_>],
    ) -> Result<Vec<(Frame, bool)>, PipelineError> {
        let model = &self.model;
        let torch = |error: TchError| fault::torch(model.device, &error);
        let Some(guard) = &model.guard else {
            let frames = pixels::download(&pictures)?;
            let _ = self.clock.mark("decode");
            return Ok(frames.into_iter().map(|frame| (frame, false)).collect());
        };
        let watches: Vec<Watch> = strokes.iter().map(|stroke| stroke.easel.watch).collect();
        let looks = watches.iter().any(|watch| watch.is_due());
        if looks {
            let _ = self.clock.mark("decode");
        }
        let Guarded { pictures, flagged } = guard.look(pictures, &watches).map_err(torch)?;
        let frames = pixels::download(&pictures)?;
        let flagged = match flagged {
            Some(flagged) => pixels::verdicts(&flagged).map_err(torch)?,
            None => vec![false; frames.len()],
        };
        let _ = self.clock.mark(if looks { "safety" } else { "decode" });
        Ok(frames.into_iter().zip(flagged).collect())
    }
}

/// `[B, 3, H, W]` in 0..1, or nothing if the strokes have none.
fn upload<'a>(
    model: &Model,
    frames: impl Iterator<Item = Option<&'a Frame>>,
) -> Result<Option<Tensor>, TchError> {
    match frames.collect::<Option<Vec<_>>>() {
        Some(frames) if !frames.is_empty() => Ok(Some(pixels::upload(&frames, model.device)?)),
        _ => Ok(None),
    }
}

fn encode(model: &Model, pictures: &Tensor, sheets: &[&Sheet]) -> Result<Tensor, TchError> {
    let noise = match sheets[0].encoder_noise {
        Some(_) => Some(join(
            sheets
                .iter()
                .filter_map(|sheet| sheet.encoder_noise.as_ref()),
        )?),
        None => None,
    };
    // Centred in f32 and then cast, as in diffusers.
    let pictures = pixels::centre(pictures)?.f_to_kind(model.kind)?;
    model.autoencoder.encode(&pictures, noise.as_ref())
}
