//! The handle to what paints. Everything that touches the device goes through here, to one thread: in a process of its own,
//! which can be ended and begun anew when the device hangs or dies, or in this one.

#[cfg(unix)]
pub mod child;
mod gauge;
mod inbox;
mod loader;
mod local;
#[cfg(unix)]
mod patience;
#[cfg(unix)]
mod remote;
#[cfg(unix)]
mod rows;
#[cfg(unix)]
mod supervisor;
#[cfg(unix)]
mod wire;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use limn_pipeline::{
    BatchKey, DeviceInfo, DeviceMemory, HostJob, LoadContext, Output, PipelineEntry, PipelineError,
    Registry, Row, SessionId,
};
use prometheus_client::metrics::counter::Counter;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use local::Local;
#[cfg(unix)]
use remote::Remote;

use crate::seconds::seconds;

/// What paints, and on what.
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
pub struct InferenceConfig {
    /// The pipeline or row that new sessions start with; `--list-pipelines` lists them [default: the first]
    #[arg(long, env = "LIMN_PIPELINE", value_name = "NAME", global = true)]
    pub pipeline: Option<String>,
    /// Where to paint: auto, cpu, cuda, cuda:N or mps
    #[arg(
        long,
        env = "LIMN_DEVICE",
        value_name = "DEVICE",
        default_value = "auto",
        global = true
    )]
    pub device: String,
    /// The numbers to paint with: auto, f32, bf16 or f16
    #[arg(
        long,
        env = "LIMN_DTYPE",
        value_name = "TYPE",
        default_value = "auto",
        global = true
    )]
    pub dtype: String,
    /// Another checkpoint than the row's: embedded, a folder in the diffusers layout, or a name on the hub (which is downloaded)
    #[arg(long, env = "LIMN_MODEL", value_name = "NAME", global = true)]
    pub model: Option<String>,
    /// Another ControlNet than the row's, named like --model
    #[arg(
        long,
        env = "LIMN_CONTROLNET_MODEL",
        value_name = "NAME",
        global = true
    )]
    pub controlnet_model: Option<String>,
    /// Another tiny autoencoder than the row's, named like --model
    #[arg(
        long,
        env = "LIMN_TAESD",
        value_name = "NAME",
        global = true,
        conflicts_with = "no_taesd"
    )]
    pub taesd: Option<String>,
    /// Decode with the checkpoint's own, larger autoencoder
    #[arg(long, env = "LIMN_NO_TAESD", global = true)]
    pub no_taesd: bool,
    /// Where the device's thread lives: in a process of its own, which is begun anew when the device hangs or dies, or in this one
    #[arg(
        long,
        env = "LIMN_WORKER",
        value_enum,
        default_value_t = Home::Process
    )]
    pub worker: Home,
    /// Begin the device's process anew when it gives no answer for so many seconds [default: 10, or 20 times the pipeline's p99]
    #[arg(long, env = "LIMN_DEVICE_TIMEOUT", value_name = "SECONDS", value_parser = seconds)]
    pub device_timeout: Option<Duration>,
    /// Blur what Stable Diffusion's safety checker flags; another checker is named like --model
    #[arg(
        long,
        env = "LIMN_SAFETY_CHECKER",
        value_name = "NAME",
        global = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "CompVis/stable-diffusion-safety-checker"
    )]
    pub safety_checker: Option<String>,
    /// Check every K-th picture of a session, and hold to the verdict until the next check
    #[arg(
        long,
        env = "LIMN_SAFETY_EVERY",
        value_name = "K",
        default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..),
        global = true
    )]
    pub safety_every: u32,
}

/// Where the device's thread lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub enum Home {
    /// In a process of its own.
    Process,
    /// In this process: for debugging, and where there are no Unix sockets.
    Thread,
}

impl InferenceConfig {
    /// What a pipeline needs to know to load itself on `device`.
    pub fn context<'a>(&'a self, device: &'a DeviceInfo) -> LoadContext<'a> {
        LoadContext {
            device: &device.device,
            dtype: &device.dtype,
            model: self.model.as_deref(),
            controlnet_model: self.controlnet_model.as_deref(),
            taesd: self.taesd.as_deref(),
            no_taesd: self.no_taesd,
            safety_checker: self.safety_checker.as_deref(),
            safety_every: self.safety_every,
            random_weights: false,
        }
    }
}

/// Where a row is on its way to the device.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Readiness {
    /// A loader thread reads it, or the device thread takes it in.
    Loading,
    /// It paints, with the checkpoint that these words name (empty where there is none).
    Ready(String),
    /// It cannot be loaded; asking again tries again.
    Failed(PipelineError),
}

/// A handle to what paints. Cloning it clones a reference count.
#[derive(Clone)]
pub struct Inference {
    shared: Arc<Shared>,
}

struct Shared {
    painter: Painter,
    config: InferenceConfig,
    device: DeviceInfo,
}

enum Painter {
    Here(Box<Local>),
    #[cfg(unix)]
    There(Remote),
}

impl Inference {
    /// Resolves the device and starts its thread, in a process of its own if that is asked for; nothing is loaded yet. Each
    /// process after the first is counted in `restarts`.
    ///
    /// # Errors
    /// If there is no such device, no thread or no process.
    pub fn start(
        registry: &Registry,
        config: InferenceConfig,
        restarts: Counter,
    ) -> Result<Self, PipelineError> {
        let device = (registry.device)(&config.device, &config.dtype)?;
        tracing::info!("painting with {}", device.why);
        let painter = match config.worker {
            #[cfg(unix)]
            Home::Process => Painter::There(Remote::start(config.clone(), restarts)?),
            _ => Painter::Here(Box::new(Local::start(
                registry,
                config.clone(),
                device.clone(),
                Box::new(|_| {}),
            )?)),
        };
        Ok(Self {
            shared: Arc::new(Shared {
                painter,
                config,
                device,
            }),
        })
    }

    /// The device and number type in use.
    pub fn device(&self) -> &DeviceInfo {
        &self.shared.device
    }

    /// Loads a pipeline that runs on the CPU pool; such a one belongs to its session and never stands behind the device.
    pub fn load_here(
        &self,
        entry: &PipelineEntry,
        row: &Row,
    ) -> Result<Box<dyn limn_pipeline::PipelineHost>, PipelineError> {
        (entry.load)(&self.shared.config.context(&self.shared.device), row)
    }

    /// Where a row is; asking for one that nobody has asked for yet (or that failed) starts its loading.
    pub fn row(
        &self,
        entry: &'static PipelineEntry,
        row: &'static Row,
    ) -> watch::Receiver<Readiness> {
        match &self.shared.painter {
            Painter::Here(local) => local.row(entry, row),
            #[cfg(unix)]
            Painter::There(remote) => remote.row(row),
        }
    }

    /// Waits until a row paints.
    ///
    /// # Errors
    /// Why it cannot be loaded.
    pub async fn ready(
        &self,
        entry: &'static PipelineEntry,
        row: &'static Row,
    ) -> Result<(), PipelineError> {
        let mut state = self.row(entry, row);
        loop {
            match &*state.borrow_and_update() {
                Readiness::Ready(_) => return Ok(()),
                Readiness::Failed(error) => return Err(error.clone()),
                Readiness::Loading => {}
            }
            if state.changed().await.is_err() {
                return Err(PipelineError::failed(row.id, "the device thread is gone"));
            }
        }
    }

    /// What a loaded row paints with, for people; `None` if it is not loaded or needs no weights.
    pub fn describe(&self, row: &Row) -> Option<String> {
        let state = match &self.shared.painter {
            Painter::Here(local) => local.state(row.id),
            #[cfg(unix)]
            Painter::There(remote) => remote.state(row.id),
        };
        match state? {
            Readiness::Ready(words) if !words.is_empty() => Some(words),
            _ => None,
        }
    }

    /// Paints one frame when it is the session's turn. Dropping the future withdraws it.
    ///
    /// # Errors
    /// The pipeline's; [`PipelineError::DeviceLost`] if the process died meanwhile.
    pub async fn turn(
        &self,
        row: &'static Row,
        job: HostJob,
        key: Option<BatchKey>,
    ) -> Result<Output, PipelineError> {
        match &self.shared.painter {
            Painter::Here(local) => local.turn(row, job, key).await,
            #[cfg(unix)]
            Painter::There(remote) => remote.turn(row, job, key).await,
        }
    }

    /// Forgets a session on the device.
    pub fn close(&self, session: SessionId) {
        match &self.shared.painter {
            Painter::Here(local) => local.close(session),
            #[cfg(unix)]
            Painter::There(remote) => remote.close(session),
        }
    }

    /// How many frames wait for the device.
    pub fn waiting(&self) -> usize {
        match &self.shared.painter {
            Painter::Here(local) => local.waiting(),
            #[cfg(unix)]
            Painter::There(remote) => remote.waiting(),
        }
    }

    /// How many sessions the loaded pipelines remember, as of the device thread's last look.
    pub fn open_sessions(&self) -> usize {
        match &self.shared.painter {
            Painter::Here(local) => local.open_sessions(),
            #[cfg(unix)]
            Painter::There(remote) => remote.open_sessions(),
        }
    }

    /// How full the device is; `None` where nobody says, and while it is taken up again.
    pub fn memory(&self) -> Option<DeviceMemory> {
        match &self.shared.painter {
            Painter::Here(local) => local.memory(),
            #[cfg(unix)]
            Painter::There(remote) => remote.memory(),
        }
    }

    /// What the device's process, if there is one, writes down from now on: a filter as in `--log`.
    pub fn log(&self, filter: &str) {
        #[cfg(unix)]
        if let Painter::There(remote) = &self.shared.painter {
            remote.log(filter);
        }
        #[cfg(not(unix))]
        let _ = filter;
    }

    /// Whether the device is being taken up again.
    pub fn is_lost(&self) -> bool {
        match &self.shared.painter {
            Painter::Here(_) => false,
            #[cfg(unix)]
            Painter::There(remote) => remote.is_lost(),
        }
    }
}
