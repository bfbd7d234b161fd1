//! How many viewers get small pictures in time on this machine, the bench beside them.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use crate::camera::FPS;
use crate::peer::Bench;
use crate::pictures::pictures;
use crate::server::Server;
use crate::viewers::{Crowd, watch};
use limn_tests::table::{head, row};

/// In time is within one picture's time, and hardly one lost.
const LATEST_MS: f64 = 33.0;
const LEAST_FPS: f64 = FPS as f64 - 1.0;

/// More connections than one address has ports.
const MOST: usize = 16_384;

#[derive(Args)]
pub struct Options {
    /// How many watch first; doubled until they are too many
    #[arg(long, default_value_t = 32)]
    from: usize,
    /// How long each number watches
    #[arg(long, value_name = "S", default_value_t = 5)]
    seconds: u64,
    /// How long a picture is
    #[arg(long, value_name = "BYTES", default_value_t = 25_000)]
    bytes: usize,
}

pub fn run(bench: &Bench, options: &Options) -> anyhow::Result<()> {
    let pictures = Arc::new(pictures(options.bytes)?);
    head(&[
        "server",
        "viewers",
        "p50 ms",
        "p99 ms",
        "fps per viewer",
        "CPU %",
        "the bench's own CPU %",
    ]);
    let limn = carried(&bench.limn(&pictures)?, options)?;
    let peer = bench.peer(&pictures)?;
    let peer = peer.map(|server| carried(&server, options)).transpose()?;
    println!();
    head(&["server", "viewers carried"]);
    row(&["Limn".to_owned(), limn.to_string()]);
    if let Some(peer) = peer {
        row(&["uStreamer".to_owned(), peer.to_string()]);
    }
    Ok(())
}

/// The last number that was carried; 0 if the first was not.
fn carried(server: &Server, options: &Options) -> anyhow::Result<usize> {
    let (mut good, mut fast) = (0, options.from);
    while fast <= MOST {
        let length = Duration::from_secs(options.seconds);
        let watched = match watch(
            server,
            Crowd { fast, slow: 0 },
            Duration::from_secs(1),
            length,
        ) {
            Ok(watched) => watched,
            Err(error) => {
                println!("\n{fast} viewers: {error:#}\n");
                break;
            }
        };
        row(&[
            server.name.to_owned(),
            fast.to_string(),
            format!("{:.2}", watched.fast.delay(0.5)),
            format!("{:.2}", watched.fast.delay(0.99)),
            format!("{:.2}", watched.fast.fps),
            format!("{:.1}", watched.cpu),
            format!("{:.1}", watched.own_cpu),
        ]);
        if watched.fast.delay(0.5) > LATEST_MS || watched.fast.fps < LEAST_FPS {
            break;
        }
        good = fast;
        fast *= 2;
    }
    Ok(good)
}
