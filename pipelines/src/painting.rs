//! A diffusion pipeline as data: the few things in which one differs from the next. Everything else they share.

use std::marker::PhantomData;

use limn_pipeline::{
    BatchKey, Frame, Job, LoadContext, Output, Params, Pipeline, PipelineError, PipelineInfo,
    Prepared, Row,
};

use crate::stages::painter::{Easel, Painter, Stroke};
use crate::stages::params::PaintParams;
use crate::stages::sheet::{Control, Manner};

/// What one diffusion pipeline is; [`Painted`] makes a [`Pipeline`] of it.
pub trait Painting: Send + 'static {
    /// What a user may change.
    type Params: Params;
    /// Name, title, input, place.
    const INFO: PipelineInfo;
    /// How parameters become a run.
    const MANNER: Manner;

    /// The parameters that all diffusion pipelines have.
    fn paint(params: &Self::Params) -> &PaintParams;

    /// How a ControlNet takes part. Provided: there is none.
    fn control(params: &Self::Params) -> Option<Control> {
        let _ = params;
        None
    }

    /// The map that guides the picture, made on the CPU. Provided: none.
    fn guide(picture: &Frame, params: &Self::Params) -> Option<Frame> {
        let _ = (picture, params);
        None
    }
}

/// A loaded model that paints as `P` says.
pub struct Painted<P: Painting> {
    painter: Painter,
    painting: PhantomData<P>,
}

impl<P: Painting> Pipeline for Painted<P> {
    type Params = P::Params;
    type State = Easel;

    const INFO: PipelineInfo = P::INFO;
    const GUARDED: bool = true;

    fn load(context: &LoadContext<'_>, row: &Row) -> Result<Self, PipelineError> {
        Ok(Self {
            painter: Painter::load(context, row, P::INFO, P::MANNER)?,
            painting: PhantomData,
        })
    }

    fn describe(&self) -> String {
        self.painter.describe().to_owned()
    }

    fn settle(&mut self) -> Result<bool, PipelineError> {
        self.painter.settle()
    }

    fn open(&mut self, _: &P::Params) -> Result<Easel, PipelineError> {
        Ok(Easel::default())
    }

    fn prepare(picture: Option<Frame>, params: &P::Params) -> Result<Prepared, PipelineError> {
        let control = picture
            .as_ref()
            .and_then(|picture| P::guide(picture, params));
        Ok(Prepared { picture, control })
    }

    fn process(&mut self, job: Job<'_, Self>) -> Result<Output, PipelineError> {
        self.process_batch(vec![job]).remove(0)
    }

    /// What decides the run; prompts, blends, seeds and edges may differ within one call.
    fn batch_key(params: &P::Params) -> Option<BatchKey> {
        let PaintParams {
            strength,
            steps,
            guidance,
            ..
        } = P::paint(params);
        let control = P::control(params)
            .map(|Control { scale, start, end }| format!("{scale} {start} {end}"));
        let control = control.unwrap_or_default();
        Some(BatchKey(format!(
            "{} {steps} {strength} {guidance} {control}",
            params.size()
        )))
    }

    fn process_batch(&mut self, jobs: Vec<Job<'_, Self>>) -> Vec<Result<Output, PipelineError>> {
        let stroke = |job| {
            let Job {
                prepared,
                params,
                changed,
                state: easel,
                cancel,
            } = job;
            let (params, control) = (P::paint(params), P::control(params));
            Stroke {
                prepared,
                params,
                control,
                changed,
                easel,
                cancel,
            }
        };
        self.painter.paint(jobs.into_iter().map(stroke).collect())
    }
}
