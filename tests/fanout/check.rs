//! The short form for each run of the tests: the limits are several times what is asked for, since a machine that runs
//! tests is slow and noisy; what breaks them is a mistake and not the weather.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;

use crate::peer::Bench;
use crate::pictures::pictures;
use crate::server::Server;
use crate::viewers::{Crowd, watch};
use crate::{first, resets, slow};
use limn_tests::table::{head, quantile, row};

const PICTURE_BYTES: usize = 107_000;

/// Asked for: 1 ms with one viewer.
const DELAY_MS_ONE: f64 = 5.0;
/// Asked for: 2 ms with 32 viewers.
const DELAY_MS_32: f64 = 20.0;
/// Asked for: 0.9 s for the slow viewers' pictures at p95.
const SLOW_AGE_MS: f64 = 1500.0;
/// Asked for: the fast viewers beside them get all 30 pictures a second.
const FAST_FPS: f64 = 28.0;
/// Asked for: 5 ms for the first picture and for a snapshot.
const FIRST_MS: f64 = 50.0;
/// Asked for: 64 kB a viewer. These have all gone, so this is for what an allocator keeps.
const GROWTH_BYTES: u64 = 16 << 20;

/// One thing that is looked at.
struct Finding {
    what: &'static str,
    got: f64,
    /// The most that it may be, or the least.
    limit: Limit,
}

enum Limit {
    Most(f64),
    Least(f64),
}

impl Finding {
    fn holds(&self) -> bool {
        match self.limit {
            Limit::Most(most) => self.got <= most,
            Limit::Least(least) => self.got >= least,
        }
    }

    fn limit(&self) -> String {
        match self.limit {
            Limit::Most(most) => format!("at most {most}"),
            Limit::Least(least) => format!("at least {least}"),
        }
    }
}

pub fn run(bench: &Bench) -> anyhow::Result<()> {
    let pictures = Arc::new(pictures(PICTURE_BYTES)?);
    let findings = look(&bench.limn(&pictures)?)?;
    let peer = bench.peer(&pictures)?;
    let beside = peer.map(|server| delay(&server, 32)).transpose()?;
    head(&["Limn", "got", "limit"]);
    for finding in &findings {
        row(&[
            finding.what.to_owned(),
            format!("{:.2}", finding.got),
            finding.limit(),
        ]);
    }
    if let Some(beside) = beside {
        println!("\nuStreamer with 32 viewers: p50 {beside:.2} ms.");
    }
    let missed: Vec<_> = findings.iter().filter(|finding| !finding.holds()).collect();
    let sentences = missed.iter().map(|finding| {
        format!(
            "{}: {:.2} is not {}",
            finding.what,
            finding.got,
            finding.limit()
        )
    });
    let sentences: Vec<_> = sentences.collect();
    ensure!(sentences.is_empty(), "{}", sentences.join("; "));
    Ok(())
}

fn look(server: &Server) -> anyhow::Result<Vec<Finding>> {
    let most = |what, got, most| Finding {
        what,
        got,
        limit: Limit::Most(most),
    };
    let mut findings = vec![
        most("1 viewer: p50 ms", delay(server, 1)?, DELAY_MS_ONE),
        most("32 viewers: p50 ms", delay(server, 32)?, DELAY_MS_32),
    ];
    let beside = watch(server, slow::CROWD, Duration::ZERO, Duration::from_secs(15))?;
    findings.push(most(
        "slow viewers: age p95 ms",
        beside.slow.delay(0.95),
        SLOW_AGE_MS,
    ));
    findings.push(Finding {
        what: "fast viewers beside slow ones: fps",
        got: beside.fast.fps,
        limit: Limit::Least(FAST_FPS),
    });
    let (pictures, snapshots) = first::newcomers(server, 10)?;
    findings.push(most(
        "first picture: p50 ms",
        quantile(&pictures, 0.5),
        FIRST_MS,
    ));
    findings.push(most(
        "snapshot: p50 ms",
        quantile(&snapshots, 0.5),
        FIRST_MS,
    ));
    resets::rush(server, 30, 10)?;
    let left = resets::rush(server, 300, 20)?;
    let (before, after) = (left.before, left.after);
    let growth = after.resident_bytes.saturating_sub(before.resident_bytes);
    findings.push(most(
        "300 resets: file handles left",
        after.handles.saturating_sub(before.handles) as f64,
        0.0,
    ));
    findings.push(most(
        "300 resets: threads left",
        after.threads.saturating_sub(before.threads) as f64,
        0.0,
    ));
    findings.push(most(
        "300 resets: bytes left",
        growth as f64,
        GROWTH_BYTES as f64,
    ));
    Ok(findings)
}

fn delay(server: &Server, fast: usize) -> anyhow::Result<f64> {
    let crowd = Crowd { fast, slow: 0 };
    let watched = watch(
        server,
        crowd,
        Duration::from_secs(1),
        Duration::from_secs(3),
    )?;
    Ok(watched.fast.delay(0.5))
}
