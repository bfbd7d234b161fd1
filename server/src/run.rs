//! Start, in the order of the road; stop, in reverse.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web;
use anyhow::{Context, anyhow, ensure};
use limn_pipeline::{
    Cancel, Frame, HostJob, Input, PipelineError, Registry, RunsOn, SessionId, Unknown,
};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::access::Access;
use crate::access::task::sign_in_address;
use crate::config::{Config, Task};
use crate::fanout::ndi::Mirrors;
use crate::http::compat::gendj::Addresses;
use crate::http::{self, Intake, Rooms, Shelf};
#[cfg(unix)]
use crate::inference::child;
use crate::inference::{Inference, Readiness};
use crate::ingest::source::Sources;
use crate::ingest::source::ndi::Network;
use crate::listing::{self, Choice, Listing};
use crate::metrics::Metrics;
use crate::pool::Pool;
use crate::program::Program;
use crate::session::road::Tools;
use crate::session::store::Store;
use crate::session::wish::Wish;
use crate::{bench, doctor, osc, shutdown, telemetry};

/// A server that runs until it is stopped.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its sessions.
    pub store: Arc<Store>,
    /// What is on air.
    pub program: Arc<Program>,
    /// Who may do what.
    pub access: Arc<Access>,
    /// What paints.
    pub inference: Inference,
    /// Where OSC is listened to.
    pub osc: Option<SocketAddr>,
    /// Where GenDJ's page is waited for.
    pub gendj: Option<Addresses>,
    servers: Vec<(ServerHandle, JoinHandle<std::io::Result<()>>)>,
}

impl Running {
    /// Lets sessions go on for `--drain`, ends those that are left, and then the server.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.store.drain().await;
        self.store.close();
        self.program.stop();
        for (handle, running) in self.servers {
            handle.stop(true).await;
            running.await?.context("the http server failed")?;
        }
        Ok(())
    }
}

/// Does what the command line asks: serves until a signal comes, or measures, or lists.
pub async fn run(config: Config, registry: Registry) -> anyhow::Result<()> {
    if config.list_pipelines {
        return print(&listing::text(&registry));
    }
    let done = match &config.command {
        Some(Task::Bench(task)) => return bench::run(task, &config, &registry).await,
        #[cfg(unix)]
        Some(Task::Worker) => return child::serve(registry).await,
        #[cfg(not(unix))]
        Some(Task::Worker) => None,
        Some(Task::Doctor) => {
            let (words, works) = doctor::examine(&config, &registry);
            print(&words)?;
            ensure!(works, "a server would not work so");
            return Ok(());
        }
        Some(Task::Key(task)) => Some(task.run(&config.access)?),
        Some(Task::Url(task)) => Some(task.run(&config.access)?),
        None => None,
    };
    if let Some(words) = done {
        return print(&words);
    }
    let running = start(&config, registry)?;
    let (access, inference) = (Arc::clone(&running.access), running.inference.clone());
    tokio::spawn(shutdown::hangups(move || read_again(&access, &inference)));
    shutdown::signal().await;
    running.stop().await
}

/// Keys and log level, from where they were read at the start, and the log file's name. Presets are read whenever they are asked for.
fn read_again(access: &Access, inference: &Inference) {
    match access.reload() {
        Ok(count) => tracing::info!("keys read again: {count}"),
        Err(error) => tracing::error!("the keys stay as they were: {error}"),
    }
    let config = Config::read(std::env::args_os()).map_err(|error| error.to_string());
    let level = config.and_then(|config| {
        let level = config.log.log;
        telemetry::change(&level).map(|()| level)
    });
    if let Err(error) = telemetry::reopen() {
        tracing::error!("the log file cannot be written to: {error}");
    }
    match level {
        Ok(level) => {
            inference.log(&level);
            tracing::info!("log level read again");
        }
        Err(error) => tracing::error!("the log level stays as it was: {error}"),
    }
}

fn print(words: &str) -> anyhow::Result<()> {
    use std::io::Write;
    Ok(std::io::stdout().write_all(words.as_bytes())?)
}

/// A viewer takes two file handles, and many systems begin with 1,024 for a process that may have more.
fn allow_many_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!("the limit of open files stays: {error}");
    }
}

/// Starts serving and returns at once; must be called on a tokio runtime, where the sessions then run.
pub fn start(config: &Config, registry: Registry) -> anyhow::Result<Running> {
    allow_many_files();
    let host = config.http.host;
    let access = Arc::new(Access::start(&config.access, host)?);
    let guarded = !host.is_loopback() && !config.access.open;
    ensure!(
        !guarded || (config.osc.osc.is_none() && config.gendj.gendj.is_none()),
        "`--osc` and `--gendj` know no keys: on {host} they need `--open`"
    );
    if let Some(name) = &config.inference.safety_checker {
        at_hand(&registry, name)?;
    }
    let listing = Arc::new(Listing::new(
        registry,
        config.inference.pipeline.as_deref(),
        config.inference.model.as_deref(),
        config.inference.safety_checker.is_some(),
    )?);
    let metrics = Metrics::default();
    let restarts = metrics.restarts.clone();
    let inference = Inference::start(&registry, config.inference.clone(), restarts)?;
    let pool = Pool::start().context("cannot start the CPU pool")?;
    let ingest = Arc::new(config.ingest.clone());
    let mirrors = Mirrors::start(&config.ndi, &pool)?;
    let tools = Tools {
        metrics: metrics.clone(),
        log_frames: config.log.log_frames,
        inference: inference.clone(),
        pool: pool.clone(),
        ingest: Arc::clone(&ingest),
        frame_gap: Duration::from_secs_f64(1.0 / config.session.max_fps),
        jpeg_quality: config.encode.jpeg_quality,
        mirrors: mirrors.clone(),
    };
    let store = Store::start(
        config.session.clone(),
        tools,
        tokio::runtime::Handle::current(),
    );
    let program = Program::start(
        &config.program,
        access.is_local(),
        &store,
        pool,
        config.encode.jpeg_quality,
        metrics.sent.clone(),
    );
    let fps = config.program.program.map(|format| format.fps);
    if let Some(mirrors) = &mirrors {
        mirrors.send_program(program.screen().raw().feed(), fps);
    }
    let sources = Arc::new(Sources::new(Network::new(&config.ndi)));
    if let Some(url) = &config.ingest.source {
        let opened = sources.open(url);
        let source = opened.with_context(|| format!("cannot open the source {url}"))?;
        let session = store.create(Wish {
            source: Some(source),
            ..Wish::of(listing.first().clone())
        })?;
        let params = config.ingest.source_params.clone().unwrap_or_default();
        session
            .patch(&params, Unknown::Refuse)
            .map_err(|refusal| anyhow!("`--source-params`: {}", refusal.message))?;
        program.pin(Some(&session), Duration::ZERO);
        tracing::info!("{url} is on air: session {}", session.key);
    }
    let osc = match config.osc.osc {
        Some(port) => {
            let page = config.http.frontend.clone();
            let presets = move || http::presets(page.as_deref());
            let heard = osc::listen((config.http.host, port), &store, &program, presets);
            Some(heard.with_context(|| format!("cannot listen for OSC on port {port}"))?)
        }
        None => None,
    };
    let warm = warm_up(inference.clone(), listing.first().clone());
    let https = config.http.ssl_certfile.is_some();
    let rooms = web::Data::new(Rooms {
        store: Arc::clone(&store),
        program: Arc::clone(&program),
        metrics,
        inference: inference.clone(),
        mirrors,
        sources,
        osc,
        access: Arc::clone(&access),
        listing: Arc::clone(&listing),
        intake: Arc::new(Intake::new(&ingest, config.http.body_timeout)),
        shelf: Shelf::default(),
        listeners: Arc::new(Semaphore::new(match config.fanout.max_viewers {
            0 => Semaphore::MAX_PERMITS,
            most => most.min(Semaphore::MAX_PERMITS),
        })),
        ingest,
        fanout: config.fanout.clone(),
        jpeg_quality: config.encode.jpeg_quality,
        frontend: config.http.frontend.clone(),
        warm,
        https,
    });
    let (server, address) = http::serve(&config.http, rooms.clone())
        .with_context(|| format!("cannot listen on {}:{}", config.http.host, config.http.port))?;
    let scheme = if https { "https" } else { "http" };
    tracing::info!(
        "limn paints with `{}`: {scheme}://{address}/",
        listing.first().row.id
    );
    if config.access.open && !host.is_loopback() {
        tracing::warn!("everybody who reaches {address} can use this server: it asks for no key");
    }
    // On standard output: the log, which may be kept and shown, has no secrets in it.
    if let Some(signed) = access.first_sign_in() {
        let base = format!("{scheme}://{}:{}", reached_at(host), address.port());
        let address = sign_in_address(&base, &signed);
        print(&format!("sign in as operator within 12 hours: {address}\n"))?;
    }
    let mut servers = vec![server];
    let mut gendj = None;
    if let Some(ports) = config.gendj.gendj {
        let (addresses, more) = http::compat::gendj::listen(config.http.host, ports, &rooms)?;
        tracing::info!(
            "GenDJ's page finds its frames at {}, its settings at {}",
            addresses.frames,
            addresses.settings
        );
        gendj = Some(addresses);
        servers.extend(more);
    }
    let servers = servers.into_iter();
    let servers = servers.map(|server| (server.handle(), tokio::spawn(server)));
    Ok(Running {
        address,
        store,
        program,
        access,
        inference,
        osc,
        gendj,
        servers: servers.collect(),
    })
}

/// Painting without the checker that the operator asked for would be worse than not starting.
fn at_hand(registry: &Registry, checker: &str) -> anyhow::Result<()> {
    (registry.safety)(checker).map_err(|error| {
        let hint = error.hint().map(|hint| format!("; {hint}"));
        anyhow::anyhow!("`--safety-checker`: {error}{}", hint.unwrap_or_default())
    })
}

/// What to write into a browser's address line on this machine.
fn reached_at(host: IpAddr) -> String {
    match host {
        host if host.is_unspecified() => "127.0.0.1".to_owned(),
        IpAddr::V6(host) => format!("[{host}]"),
        IpAddr::V4(host) => host.to_string(),
    }
}

/// Between one try at a first frame and the next.
const AGAIN: Duration = Duration::from_secs(1);

/// Loads the first row and makes one frame, before anybody waits for it.
fn warm_up(inference: Inference, choice: Choice) -> watch::Receiver<Readiness> {
    let (state, receiver) = watch::channel(Readiness::Loading);
    tokio::spawn(async move {
        loop {
            let error = match first_frame(&inference, &choice).await {
                Ok(()) => {
                    let words = inference.describe(choice.row).unwrap_or_default();
                    state.send_replace(Readiness::Ready(words));
                    return;
                }
                Err(error) => error,
            };
            tracing::error!("`{}` made no first frame: {error}", choice.row.id);
            // A device that went away comes back.
            if !matches!(error, PipelineError::DeviceLost { .. }) {
                let is_final = matches!(error, PipelineError::Load { .. });
                state.send_replace(Readiness::Failed(error));
                if is_final {
                    return;
                }
            }
            tokio::time::sleep(AGAIN).await;
        }
    });
    receiver
}

async fn first_frame(inference: &Inference, choice: &Choice) -> Result<(), PipelineError> {
    let params = choice.door.defaults().clone();
    let grey = (choice.input() != Input::Text).then(|| Frame::filled(params.size(), [128; 3]));
    // No session has this name: they count from 1.
    let session = SessionId(0);
    let job = HostJob {
        session,
        prepared: (choice.entry.prepare)(grey, &params)?,
        params,
        cancel: Cancel::default(),
    };
    if choice.entry.info.runs_on == RunsOn::Cpu {
        let mut host = inference.load_here(choice.entry, choice.row)?;
        return host
            .turn(std::slice::from_ref(&job))
            .pop()
            .map_or(Err(PipelineError::Cancelled), |result| result.map(drop));
    }
    inference.ready(choice.entry, choice.row).await?;
    let painted = inference.turn(choice.row, job, None).await;
    inference.close(session);
    painted.map(drop)
}
