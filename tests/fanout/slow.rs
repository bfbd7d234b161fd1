//! Slow viewers beside fast ones: how old is what the slow see, and do the fast notice?

use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use crate::peer::Bench;
use crate::pictures::pictures;
use crate::viewers::{Crowd, watch};
use limn_tests::table::{head, row};

/// Four of each.
pub const CROWD: Crowd = Crowd { fast: 4, slow: 4 };

#[derive(Args)]
pub struct Options {
    /// How long they watch
    #[arg(long, value_name = "S", default_value_t = 60)]
    seconds: u64,
    /// How long a picture is
    #[arg(long, value_name = "BYTES", default_value_t = 107_000)]
    bytes: usize,
}

pub fn run(bench: &Bench, options: &Options) -> anyhow::Result<()> {
    let pictures = Arc::new(pictures(options.bytes)?);
    head(&[
        "server",
        "slow: age p50 ms",
        "slow: age p95 ms",
        "slow: fps",
        "fast: p50 ms",
        "fast: p99 ms",
        "fast: fps",
    ]);
    for server in bench.both(&pictures)? {
        // No time to warm up: the past that a slow viewer sees grows from its first picture on.
        let watched = watch(
            &server,
            CROWD,
            Duration::ZERO,
            Duration::from_secs(options.seconds),
        )?;
        let (slow, fast) = (&watched.slow, &watched.fast);
        row(&[
            server.name.to_owned(),
            format!("{:.0}", slow.delay(0.5)),
            format!("{:.0}", slow.delay(0.95)),
            format!("{:.2}", slow.fps),
            format!("{:.2}", fast.delay(0.5)),
            format!("{:.2}", fast.delay(0.99)),
            format!("{:.2}", fast.fps),
        ]);
    }
    Ok(())
}
