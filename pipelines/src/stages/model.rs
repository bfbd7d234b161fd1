//! The networks of one row, in one checkpoint: read on a loader thread, settled on the device thread.

use limn_models::clip::{ClipConfig, ClipText};
use limn_models::controlnet::{ControlNet, ControlNetConfig};
use limn_models::folder::Folder;
use limn_models::noise::{Algorithm, NoiseScheduler, SchedulerConfig};
use limn_models::published;
use limn_models::safety::{ImageProcessor, SafetyChecker, SafetyCheckerConfig};
use limn_models::taesd::{AutoencoderTiny, AutoencoderTinyConfig};
use limn_models::tokenizer::Tokenizer;
use limn_models::unet::{Unet, UnetConfig};
use limn_models::vae::{AutoencoderKl, AutoencoderKlConfig};
use limn_models::weights::{Scope, Settling, Weights, WeightsError, parse_config, read_config};
use limn_pipeline::{LoadContext, PipelineError, Row};
use serde::de::DeserializeOwned;
use tch::{Device, Kind};

use crate::device;
use crate::stages::autoencoder::Autoencoder;
use crate::stages::checkpoint::{self, Found};
use crate::stages::fault;
use crate::stages::guard::Guard;
use crate::stages::prompt_cache::{PromptCache, Words};

/// Everything that paints, but the text encoder, which stays inside its [`PromptCache`].
pub struct Model {
    /// Where it paints.
    pub device: Device,
    /// The kind of weights and activations.
    pub kind: Kind,
    /// Predicts noise, or v.
    pub denoiser: Unet,
    /// Channels of a latent.
    pub latent_channels: i64,
    /// Width of the denoiser's place for the guidance; only latent consistency models have one.
    pub guidance_dims: Option<i64>,
    /// The side network, where the row has one.
    pub controlnet: Option<ControlNet>,
    /// Picture to latent and back.
    pub autoencoder: Autoencoder,
    /// Looks at what was painted, where the operator wants it.
    pub guard: Option<Guard>,
    /// The noise schedule that the row names, with the checkpoint's numbers.
    pub schedule: NoiseScheduler,
    /// What it paints with, for people.
    pub description: String,
    settling: Vec<Settling>,
}

impl Model {
    /// Reads the row's networks into host memory.
    ///
    /// # Errors
    /// [`PipelineError::Load`], naming the part that is missing or does not fit.
    pub fn load(
        context: &LoadContext<'_>,
        row: &Row,
    ) -> Result<(Self, PromptCache), PipelineError> {
        let parts = Parts::find(context, row)?;
        let (device, kind) = device::parse(context.device, context.dtype)?;
        let mut reader = Reader {
            device,
            kind,
            settling: Vec::new(),
        };

        let encoder = reader.read(
            &parts.text_encoder,
            ClipText::IGNORED,
            |scope, config: ClipConfig| ClipText::load(scope, &config),
        )?;
        let words = match &parts.tokenizer {
            Some(folder) => Words::Tokenizer(Box::new(
                Tokenizer::open(folder).map_err(|error| refuse("tokenizer", error))?,
            )),
            None => Words::Bytes(77),
        };
        let (denoiser, latent_channels, guidance_dims) =
            reader.read(&parts.denoiser, &[], |scope, config: UnetConfig| {
                Ok((
                    Unet::load(scope, &config)?,
                    config.descent.in_channels,
                    config.descent.time_cond_proj_dim,
                ))
            })?;
        let controlnet = match &parts.controlnet {
            Some(part) => Some(reader.read(part, &[], |scope, config: ControlNetConfig| {
                ControlNet::load(scope, &config)
            })?),
            None => None,
        };
        let (autoencoder, channels) = if parts.tiny {
            reader.read(
                &parts.autoencoder,
                &[],
                |scope, config: AutoencoderTinyConfig| {
                    let network = AutoencoderTiny::load(scope, &config)?;
                    Ok((Autoencoder::Tiny(Box::new(network)), config.latent_channels))
                },
            )?
        } else {
            reader.read(
                &parts.autoencoder,
                &[],
                |scope, config: AutoencoderKlConfig| {
                    let network = AutoencoderKl::load(scope, &config)?;
                    Ok((
                        Autoencoder::Large(Box::new(network)),
                        config.latent_channels,
                    ))
                },
            )?
        };
        if channels != latent_channels {
            return Err(PipelineError::Load {
                what: row.id.to_owned(),
                reason: format!(
                    "the autoencoder has latents of {channels} channels, and the denoiser of {latent_channels}"
                ),
                hint: Some("`--taesd` and `--model` must belong to each other".to_owned()),
            });
        }
        let guard = match &parts.safety_checker {
            Some(part) => Some(Guard::new(
                reader.safety_checker(part)?,
                context.safety_every,
            )),
            None => None,
        };
        let schedule = schedule(row, parts.scheduler.as_deref())?;
        let settling = reader.settling;
        let description = parts.description;
        tracing::info!("row `{}` paints with {description}", row.id);
        let model = Self {
            device,
            kind,
            denoiser,
            latent_channels,
            guidance_dims,
            controlnet,
            autoencoder,
            guard,
            schedule,
            description,
            settling,
        };
        Ok((model, PromptCache::new(words, encoder)))
    }

    /// Moves about `budget_bytes` of weights to the device; true once all are there.
    ///
    /// # Errors
    /// [`PipelineError::OutOfMemory`] when the device has no room.
    pub fn settle(&mut self, budget_bytes: usize) -> Result<bool, PipelineError> {
        if let Some(part) = self.settling.last_mut()
            && part
                .step(budget_bytes)
                .map_err(|error| weights(self.device, "weights", error))?
        {
            self.settling.pop();
        }
        Ok(self.settling.is_empty())
    }
}

/// Where one network comes from.
enum Part {
    /// A folder with `config.json` and safetensors.
    Folder(Folder, Option<&'static str>),
    /// A published configuration, to be filled with random weights.
    Random(&'static str, &'static str),
}

/// Where everything comes from.
struct Parts {
    tokenizer: Option<Folder>,
    text_encoder: Part,
    denoiser: Part,
    controlnet: Option<Part>,
    autoencoder: Part,
    tiny: bool,
    safety_checker: Option<Part>,
    /// The text of `scheduler_config.json`.
    scheduler: Option<String>,
    description: String,
}

impl Parts {
    fn find(context: &LoadContext<'_>, row: &Row) -> Result<Self, PipelineError> {
        if context.random_weights {
            return Ok(Self::random(context, row));
        }
        let main = checkpoint::main(context, row)?;
        let mut description = main.name.clone();
        let mut side = |folder, asked, known| {
            let found = checkpoint::side(&main, folder, asked, known)?;
            if let Some(found) = &found {
                description = format!("{description}, {folder}: {}", found.name);
            }
            Ok::<_, PipelineError>(found)
        };
        let controlnet = match row.controlnet {
            None => None,
            Some(known) => match side("controlnet", context.controlnet_model, Some(known))? {
                Some(found) => Some(found),
                None => {
                    return Err(PipelineError::Load {
                        what: row.id.to_owned(),
                        reason: format!("`{}` is not on this machine", known.name),
                        hint: Some(format!("`--controlnet-model {}` downloads it", known.name)),
                    });
                }
            },
        };
        let tiny = if context.no_taesd {
            None
        } else {
            side("taesd", context.taesd, row.taesd)?
        };
        let checker = match context.safety_checker {
            Some(name) => Some(checkpoint::safety_checker(name)?),
            None => None,
        };
        if let Some(found) = &checker {
            description = format!("{description}, safety checker: {}", found.name);
        }
        let own_is_tiny = is_tiny(&main.folder.join("vae"));
        let part =
            |found: &Found, folder: &str| Part::Folder(found.folder.join(folder), found.variant);
        let scheduler = main.folder.join("scheduler");
        Ok(Self {
            tokenizer: Some(main.folder.join("tokenizer")),
            text_encoder: part(&main, "text_encoder"),
            denoiser: part(&main, "unet"),
            controlnet: controlnet.as_ref().map(|found| part(found, "")),
            autoencoder: tiny
                .as_ref()
                .map_or_else(|| part(&main, "vae"), |found| part(found, "")),
            tiny: tiny.is_some() || own_is_tiny,
            safety_checker: checker.as_ref().map(|found| part(found, "")),
            scheduler: Some(
                scheduler
                    .read_text("scheduler_config.json")
                    .map_err(|error| refuse(&scheduler.to_string(), error))?,
            ),
            description,
        })
    }

    /// The full-size networks that the row's checkpoint is known to have.
    fn random(context: &LoadContext<'_>, row: &Row) -> Self {
        let main = row.checkpoint.map_or("", |checkpoint| checkpoint.name);
        let second = main.contains("turbo");
        let pick = |one, two| if second { two } else { one };
        let tiny = !context.no_taesd;
        Self {
            tokenizer: None,
            text_encoder: Part::Random(
                "text encoder",
                pick(published::SD15_TEXT, published::SD_TURBO_TEXT),
            ),
            denoiser: Part::Random(
                "denoiser",
                pick(published::LCM_UNET, published::SD_TURBO_UNET),
            ),
            controlnet: row.controlnet.map(|_| {
                Part::Random(
                    "controlnet",
                    pick(published::SD15_CONTROLNET, published::SD21_CONTROLNET),
                )
            }),
            autoencoder: Part::Random(
                "autoencoder",
                if tiny {
                    published::TAESD
                } else {
                    published::SD_VAE
                },
            ),
            tiny,
            safety_checker: (context.safety_checker)
                .map(|_| Part::Random("safety checker", published::SAFETY_CHECKER)),
            scheduler: None,
            description: format!("random weights in the shape of `{main}`"),
        }
    }
}

/// Whether the autoencoder of a checkpoint is a tiny one already, as its `config.json` says.
fn is_tiny(folder: &Folder) -> bool {
    #[derive(serde::Deserialize)]
    struct Class {
        #[serde(rename = "_class_name")]
        name: Option<String>,
    }
    read_config::<Class>(folder).is_ok_and(|class| class.name.as_deref() == Some("AutoencoderTiny"))
}

/// Reads networks one after the other and keeps what has to be moved.
struct Reader {
    device: Device,
    kind: Kind,
    settling: Vec<Settling>,
}

impl Reader {
    fn read<C: DeserializeOwned, N>(
        &mut self,
        part: &Part,
        ignored: &[&str],
        build: impl FnOnce(&Scope<'_>, C) -> Result<N, WeightsError>,
    ) -> Result<N, PipelineError> {
        let (what, opened) = match part {
            Part::Folder(folder, variant) => (folder.to_string(), self.open(folder, *variant)),
            Part::Random(name, text) => {
                let weights = Weights::random(0, self.device, self.kind);
                (
                    (*name).to_owned(),
                    parse_config(text, name).map(|config| (config, weights)),
                )
            }
        };
        let read = || {
            let (config, weights) = opened?;
            let network = build(&weights.root(), config)?;
            Ok((network, weights.finish(ignored)?))
        };
        let (network, settling) =
            tch::no_grad(read).map_err(|error| self::weights(self.device, &what, error))?;
        self.settling.push(settling);
        Ok(network)
    }

    fn safety_checker(&mut self, part: &Part) -> Result<SafetyChecker, PipelineError> {
        let processor = match part {
            Part::Folder(folder, _) => {
                ImageProcessor::open(folder).map_err(|error| refuse(&folder.to_string(), error))?
            }
            Part::Random(..) => ImageProcessor::default(),
        };
        self.read(
            part,
            SafetyChecker::IGNORED,
            |scope, config: SafetyCheckerConfig| SafetyChecker::load(scope, &config, processor),
        )
    }

    fn open<C: DeserializeOwned>(
        &self,
        folder: &Folder,
        variant: Option<&str>,
    ) -> Result<(C, Weights), WeightsError> {
        Ok((
            read_config(folder)?,
            Weights::open(folder, variant, self.device, self.kind)?,
        ))
    }
}

/// The row's schedule with the checkpoint's numbers; what a file leaves out, and everything where there is no file, is
/// Stable Diffusion's own.
fn schedule(row: &Row, text: Option<&str>) -> Result<NoiseScheduler, PipelineError> {
    const STABLE_DIFFUSION: &str = r#"{"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
        "timestep_spacing": "trailing", "steps_offset": 1, "prediction_type": "epsilon"}"#;
    let build = || {
        let config = SchedulerConfig::from_json(text.unwrap_or(STABLE_DIFFUSION))?;
        match row.schedule {
            Some("lcm") => NoiseScheduler::new(Algorithm::Lcm, &config),
            Some("euler") => NoiseScheduler::new(Algorithm::Euler, &config),
            Some("ddim") => NoiseScheduler::new(Algorithm::Ddim, &config),
            _ => NoiseScheduler::from_config(&config),
        }
    };
    build().map_err(|error| refuse("scheduler_config.json", error))
}

fn refuse(what: &str, reason: impl std::fmt::Display) -> PipelineError {
    PipelineError::Load {
        what: what.to_owned(),
        reason: reason.to_string(),
        hint: None,
    }
}

fn weights(device: Device, what: &str, error: WeightsError) -> PipelineError {
    match error {
        WeightsError::Torch(error) => fault::torch(device, &error),
        other => refuse(what, other),
    }
}
