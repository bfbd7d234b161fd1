//! A server with the tests' own pipelines, as a program: what a process does to another can only be seen from outside.

use limn_server::{Config, run, telemetry};
use limn_tests::painters::REGISTRY;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = Config::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    telemetry::start(&config.log()).map_err(anyhow::Error::msg)?;
    run(config, REGISTRY).await
}
