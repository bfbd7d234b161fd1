//! The registry: an ordered list of pipelines, each with its rows. A variant is a row of data, never a file.

use serde::{Deserialize, Serialize};

use crate::error::PipelineError;
use crate::frame::Frame;
use crate::host::{Host, PipelineHost};
use crate::params::{Door, ParamSet};
use crate::pipeline::{BatchKey, Input, Pipeline, PipelineInfo, Prepared};

/// A constant in a row.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A whole number.
    Int(i64),
    /// A real number.
    Float(f64),
    /// A switch.
    Bool(bool),
    /// Words, or the name of a choice.
    Text(&'static str),
}

/// Where a network's weights come from: a hub repository (or folder) and, if it has several, the file variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Checkpoint {
    /// `owner/name` on the hub, or a folder in the diffusers layout.
    pub name: &'static str,
    /// `fp16` for `diffusion_pytorch_model.fp16.safetensors`, and so on.
    pub variant: Option<&'static str>,
}

/// One way to run a pipeline: its checkpoints, its noise schedule and what differs from the pipeline's own defaults.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The name in `--pipeline` and in `row`; the first row of a pipeline has the pipeline's own id.
    pub id: &'static str,
    /// Other names it answers to, those of the nearest peer among them.
    pub aliases: &'static [&'static str],
    /// The name people read.
    pub title: &'static str,
    /// What it paints from, where that differs from the pipeline's own.
    pub input: Option<Input>,
    /// The main checkpoint: text encoder, denoiser, autoencoder.
    pub checkpoint: Option<Checkpoint>,
    /// The side network, where the pipeline has one.
    pub controlnet: Option<Checkpoint>,
    /// The tiny autoencoder that stands in for the large one.
    pub taesd: Option<Checkpoint>,
    /// The noise schedule by name.
    pub schedule: Option<&'static str>,
    /// How strength becomes timesteps, by name, where that differs from the pipeline's own way.
    pub rule: Option<&'static str>,
    /// Defaults that differ from the parameters' own.
    pub defaults: &'static [(&'static str, Value)],
    /// Bounds (lowest, highest) that differ from the parameters' own; they may only be narrower.
    pub bounds: &'static [(&'static str, f64, f64)],
    /// The row of the same name on the checkpoint that ships with Limn, for a machine that lacks this row's own.
    pub embedded: Option<&'static Row>,
    /// In such a row: the larger checkpoint in whose place it paints.
    pub stands_in_for: Option<Checkpoint>,
}

impl Row {
    /// A row without weights, with the pipeline's own defaults.
    pub const fn plain(id: &'static str, title: &'static str) -> Self {
        Self {
            id,
            aliases: &[],
            title,
            input: None,
            checkpoint: None,
            controlnet: None,
            taesd: None,
            schedule: None,
            rule: None,
            defaults: &[],
            bounds: &[],
            embedded: None,
            stands_in_for: None,
        }
    }

    /// Whether `name` means this row.
    pub fn answers_to(&self, name: &str) -> bool {
        self.id.eq_ignore_ascii_case(name)
            || self
                .aliases
                .iter()
                .any(|alias| alias.eq_ignore_ascii_case(name))
    }
}

/// What the operator chose at start; the same for every row that is loaded.
#[derive(Clone, Debug, Default)]
pub struct LoadContext<'a> {
    /// `cpu`, `cuda:0`, `mps`, as [`Registry::device`] resolved it.
    pub device: &'a str,
    /// `f32`, `bf16`, `f16`, as [`Registry::device`] resolved it.
    pub dtype: &'a str,
    /// Another main checkpoint than the row's.
    pub model: Option<&'a str>,
    /// Another side network than the row's.
    pub controlnet_model: Option<&'a str>,
    /// Another tiny autoencoder than the row's.
    pub taesd: Option<&'a str>,
    /// Decode with the checkpoint's own autoencoder.
    pub no_taesd: bool,
    /// The safety checker that looks at painted pictures before they leave: a folder, or a name on the hub.
    pub safety_checker: Option<&'a str>,
    /// Of each session every so many-th picture is checked, from the first on; 0 is taken for 1, every picture.
    pub safety_every: u32,
    /// Build the full-size networks with random weights and read no file: for measuring.
    pub random_weights: bool,
}

/// The device that frames are painted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceInfo {
    /// `cpu`, `cuda:0`, `mps`.
    pub device: String,
    /// `f32`, `bf16`, `f16`.
    pub dtype: String,
    /// One line: what was taken and why.
    pub why: String,
}

/// How full the device's memory is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceMemory {
    /// On a GPU whatever any program holds there, as `nvidia-smi` counts it; else what the process that paints has resident.
    pub used: u64,
    /// What there is in all.
    pub total: u64,
}

/// How a row becomes a pipeline in host memory; see [`Pipeline::load`].
pub type Load = fn(&LoadContext<'_>, &Row) -> Result<Box<dyn PipelineHost>, PipelineError>;

/// One line of the registry: a pipeline with its type erased.
#[derive(Clone, Copy)]
pub struct PipelineEntry {
    /// Name, title, input, place.
    pub info: PipelineInfo,
    /// See [`Pipeline::READS_PIXELS`].
    pub reads_pixels: bool,
    /// See [`Pipeline::GUARDED`].
    pub guarded: bool,
    /// Its rows; never empty, and the first has the pipeline's own id.
    pub rows: &'static [Row],
    /// The door for one row's parameters; compiled once, so ask once and keep it.
    pub door: fn(&Row) -> Door,
    /// Reads weights; see [`Pipeline::load`].
    pub load: Load,
    /// See [`Pipeline::prepare`].
    pub prepare: fn(Option<Frame>, &ParamSet) -> Result<Prepared, PipelineError>,
    /// See [`Pipeline::batch_key`].
    pub batch_key: fn(&ParamSet) -> Option<BatchKey>,
}

impl PipelineEntry {
    /// The line for pipeline `P`.
    pub const fn of<P: Pipeline>(rows: &'static [Row]) -> Self {
        Self {
            info: P::INFO,
            reads_pixels: P::READS_PIXELS,
            guarded: P::GUARDED,
            rows,
            door: Door::of::<P::Params>,
            load: |context, row| Ok(Box::new(Host::new(P::load(context, row)?))),
            prepare: |picture, params| P::prepare(picture, &params.typed::<P::Params>()?),
            batch_key: |params| P::batch_key(&params.typed::<P::Params>().ok()?),
        }
    }
}

/// The pipelines a server offers, in the order people see them, and how to find a device for them.
#[derive(Clone, Copy)]
pub struct Registry {
    /// The list.
    pub entries: &'static [PipelineEntry],
    /// Resolves `--device` and `--dtype` (`auto`, `cpu`, `cuda:1`, `bf16`, ...), or says why it cannot.
    pub device: fn(device: &str, dtype: &str) -> Result<DeviceInfo, PipelineError>,
    /// How full a resolved device is; `None` for one that has no memory of its own. Asked for in the process that paints, by a
    /// thread that does nothing else: a device that hangs may hold it up.
    pub memory: fn(device: &str) -> Option<DeviceMemory>,
    /// Which row paints on this machine when this one is asked for, `--model` being what it is: itself, or its
    /// [`Row::embedded`] one.
    pub at_hand: fn(model: Option<&str>, row: &'static Row) -> &'static Row,
    /// Whether the safety checker of this name can be had, fetching its files where that is allowed; no weights are read.
    /// A server that was told to check does not start without.
    pub safety: fn(name: &str) -> Result<(), PipelineError>,
}

impl Registry {
    /// The pipeline and row that `name` (a row's id or alias) means.
    pub fn find(&self, name: &str) -> Option<(&'static PipelineEntry, &'static Row)> {
        self.entries
            .iter()
            .find_map(|entry| Some((entry, entry.rows.iter().find(|row| row.answers_to(name))?)))
    }

    /// Every row's id, in order, for messages and `--help`.
    pub fn names(&self) -> Vec<&'static str> {
        self.entries
            .iter()
            .flat_map(|entry| entry.rows.iter().map(|row| row.id))
            .collect()
    }
}
