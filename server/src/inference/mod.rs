//! The handle to what paints. Everything that touches the device goes through here, to one thread.

mod inbox;
mod loader;
mod worker;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use clap::Args;
use limn_pipeline::{
    BatchKey, DeviceInfo, HostJob, LoadContext, Output, PipelineEntry, PipelineError, Registry,
    Row, SessionId,
};
use tokio::sync::{oneshot, watch};

use inbox::{Inbox, Waiting};

/// What paints, and on what.
#[derive(Args, Clone, Debug)]
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
#[derive(Clone, Debug)]
pub enum Readiness {
    /// A loader thread reads it, or the device thread takes it in.
    Loading,
    /// It paints, with the checkpoint that these words name (empty where there is none).
    Ready(String),
    /// It cannot be loaded; asking again tries again.
    Failed(PipelineError),
}

/// A handle to the device's thread. Cloning it clones a reference count.
#[derive(Clone)]
pub struct Inference {
    shared: Arc<Shared>,
}

struct Shared {
    inbox: Arc<Inbox>,
    rows: Mutex<HashMap<&'static str, watch::Receiver<Readiness>>>,
    config: InferenceConfig,
    device: DeviceInfo,
}

impl Inference {
    /// Resolves the device and starts its thread; nothing is loaded yet.
    pub fn start(registry: &Registry, config: InferenceConfig) -> Result<Self, PipelineError> {
        let device = (registry.device)(&config.device, &config.dtype)?;
        tracing::info!("painting with {}", device.why);
        let inbox = Arc::new(Inbox::default());
        worker::spawn(Arc::clone(&inbox), device.device == "cpu").map_err(|error| {
            PipelineError::Load {
                what: "device thread".to_owned(),
                reason: error.to_string(),
                hint: None,
            }
        })?;
        Ok(Self {
            shared: Arc::new(Shared {
                inbox,
                rows: Mutex::default(),
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
        let mut rows = self
            .shared
            .rows
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(state) = rows.get(row.id)
            && !matches!(*state.borrow(), Readiness::Failed(_))
        {
            return state.clone();
        }
        let state = loader::spawn(
            entry,
            row,
            self.shared.config.clone(),
            self.shared.device.clone(),
            Arc::clone(&self.shared.inbox),
        );
        rows.insert(row.id, state.clone());
        state
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
        let rows = self
            .shared
            .rows
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        match &*rows.get(row.id)?.borrow() {
            Readiness::Ready(words) if !words.is_empty() => Some(words.clone()),
            _ => None,
        }
    }

    /// Paints one frame when it is the session's turn. Dropping the future withdraws it.
    pub async fn turn(
        &self,
        row: &'static Row,
        job: HostJob,
        key: Option<BatchKey>,
    ) -> Result<Output, PipelineError> {
        let (reply, answer) = oneshot::channel();
        self.shared.inbox.wait_for_turn(Waiting {
            row: row.id,
            key,
            job,
            reply,
        });
        answer.await.unwrap_or(Err(PipelineError::Cancelled))
    }

    /// Forgets a session on the device.
    pub fn close(&self, session: SessionId) {
        self.shared.inbox.close(session);
    }

    /// How many frames wait for the device.
    pub fn waiting(&self) -> usize {
        self.shared.inbox.waiting()
    }

    /// How many sessions the loaded pipelines remember, as of the device thread's last look.
    pub fn open_sessions(&self) -> usize {
        self.shared.inbox.open_sessions()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.inbox.stop();
    }
}
