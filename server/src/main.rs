//! `server`: reads its configuration, starts, waits for a signal, stops.

use limn_server::{Config, run, telemetry};

fn main() -> anyhow::Result<()> {
    let config = Config::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    telemetry::start(&config.log()).map_err(anyhow::Error::msg)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name("limn-road")
        .enable_all()
        .build()?;
    runtime.block_on(run(config, limn_pipelines::REGISTRY))
}
