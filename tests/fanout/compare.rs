//! Delay, CPU and memory beside uStreamer, in turns; its phase to the camera varies from start to start, so each server
//! is started several times and the middle is taken.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use crate::peer::Bench;
use crate::pictures::pictures;
use crate::server::Server;
use crate::viewers::{Crowd, Watched, watch};
use limn_tests::table::{head, median, row};

const VIEWERS: [usize; 4] = [1, 8, 32, 128];
const WARM: Duration = Duration::from_secs(1);

#[derive(Args)]
pub struct Options {
    /// How often each server is started
    #[arg(long, default_value_t = 5)]
    starts: usize,
    /// How long each number of viewers watches
    #[arg(long, value_name = "S", default_value_t = 6)]
    seconds: u64,
    /// How long a picture is
    #[arg(long, value_name = "BYTES", default_value_t = 107_000)]
    bytes: usize,
}

/// One start of one server: what was measured with each number of viewers.
type Start = Vec<Watched>;

pub fn run(bench: &Bench, options: &Options) -> anyhow::Result<()> {
    let pictures = Arc::new(pictures(options.bytes)?);
    let length = Duration::from_secs(options.seconds);
    let (mut limn, mut peer) = (Vec::new(), Vec::new());
    for _ in 0..options.starts {
        limn.push(start(&bench.limn(&pictures)?, length)?);
        if let Some(server) = bench.peer(&pictures)? {
            peer.push(start(&server, length)?);
        }
    }
    head(&[
        "viewers",
        "server",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "fps per viewer",
        "CPU %",
        "memory MB",
        "the bench's own CPU %",
    ]);
    let servers = [("Limn", &limn), ("uStreamer", &peer)];
    for (at, viewers) in VIEWERS.into_iter().enumerate() {
        for (name, starts) in servers {
            if starts.is_empty() {
                continue;
            }
            let middle = |of: fn(&Watched) -> f64| {
                median(starts.iter().map(|start| of(&start[at])).collect())
            };
            row(&[
                viewers.to_string(),
                name.to_owned(),
                format!("{:.2}", middle(|watched| watched.fast.delay(0.5))),
                format!("{:.2}", middle(|watched| watched.fast.delay(0.95))),
                format!("{:.2}", middle(|watched| watched.fast.delay(0.99))),
                format!("{:.2}", middle(|watched| watched.fast.fps)),
                format!("{:.1}", middle(|watched| watched.cpu)),
                format!(
                    "{:.1}",
                    middle(|watched| watched.resident_bytes as f64 / 1e6)
                ),
                format!("{:.1}", middle(|watched| watched.own_cpu)),
            ]);
        }
    }
    println!();
    head(&[
        "server",
        "CPU % per viewer more",
        "memory kB per viewer more",
    ]);
    for (name, starts) in servers {
        if !starts.is_empty() {
            let cpu = slope(starts, |watched| watched.cpu);
            let memory = slope(starts, |watched| watched.resident_bytes as f64 / 1e3);
            row(&[name.to_owned(), format!("{cpu:.3}"), format!("{memory:.0}")]);
        }
    }
    Ok(())
}

fn start(server: &Server, length: Duration) -> anyhow::Result<Start> {
    let crowd = |fast| Crowd { fast, slow: 0 };
    VIEWERS
        .map(|fast| watch(server, crowd(fast), WARM, length))
        .into_iter()
        .collect()
}

/// How much a viewer adds: from the fewest to the most, in the middle of the starts.
fn slope(starts: &[Start], of: impl Fn(&Watched) -> f64) -> f64 {
    let last = VIEWERS.len() - 1;
    let more = (VIEWERS[last] - VIEWERS[0]) as f64;
    let slopes = starts
        .iter()
        .map(|start| (of(&start[last]) - of(&start[0])) / more);
    median(slopes.collect())
}
