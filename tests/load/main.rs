//! `load`: many sessions, many more viewers, and whatever may go wrong, drawn by chance from a seed that is printed. Every
//! viewer sees its own session and no other, a slow one no more of the past than it must, nothing is lost without being counted,
//! nothing is left behind.
//!
//! ```text
//!  begin sessions ─► viewers come ─► faults, while memory and accounts are looked at ─► sessions end, all leave ─► drain
//! ```
//!
//! Marks are read where they can be: in pictures of `passthrough`. `canny` draws their edges and `img2img` repaints them.

#![allow(clippy::print_stdout, reason = "the table goes to standard output")]

mod accounts;
mod api;
mod counters;
mod crowd;
mod drain;
mod faults;
mod freshness;
mod ledger;
mod mark;
mod memory;
mod parts;
mod report;
mod seats;
mod server;
mod sessions;
mod show;
mod viewer;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Parser;
use limn_tests::process::allow_many_handles;

use crowd::Crowd;
use memory::Memory;
use report::Report;
use server::Server;
use sessions::Kind;
use show::Show;

/// Nobody judges how memory stands before this; then begins what the end is held against.
const WARM: Duration = Duration::from_secs(45);

/// How long memory is looked at, at the beginning and at the end.
const LOOK: Duration = Duration::from_secs(15);

#[derive(Parser)]
#[command(about = "Load a server with sessions, viewers and faults, and look at what it does")]
struct Arguments {
    /// Limn's release binary
    #[arg(
        long,
        value_name = "FILE",
        env = "LIMN_SERVER",
        default_value = "target/release/server"
    )]
    server: PathBuf,
    /// How long it lasts
    #[arg(long, value_name = "S", default_value_t = 90, value_parser = clap::value_parser!(u64).range(60..))]
    seconds: u64,
    /// What chance begins with; another one each time if left out
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How many sessions run
    #[arg(long, value_name = "N", default_value_t = 20)]
    sessions: usize,
    /// How many of them are painted on the device, whose process is killed now and then
    #[arg(long, value_name = "N", default_value_t = 1)]
    painted: usize,
    /// How many watch
    #[arg(long, value_name = "N", default_value_t = 300)]
    viewers: usize,
    /// How many of them decode what they see and look for marks
    #[arg(long, value_name = "N", default_value_t = 20)]
    checkers: usize,
    /// Write down each fault as it comes, and memory each second
    #[arg(long)]
    verbose: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    allow_many_handles()?;
    let seed = arguments
        .seed
        .unwrap_or_else(|| rand::random::<u32>().into());
    println!("seed {seed}");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let complaints = runtime.block_on(play(&arguments, seed))?;
    ensure!(
        complaints.is_empty(),
        "with `--seed {seed}`: {}",
        complaints.join("; ")
    );
    Ok(())
}

/// All of it; answers what is wrong.
async fn play(arguments: &Arguments, seed: u64) -> anyhow::Result<Vec<String>> {
    let start = Instant::now();
    let server = Server::start(&arguments.server).await?;
    let show = Show::new(server.address, server.process, seed, arguments.verbose);
    (0..server.unready).for_each(|_| show.ledger.asked_for(503));
    // What is allocated once is allocated now, and its handles are held from now on.
    show.sessions.rehearse(&show, arguments.painted > 0).await?;
    faults::rehearse(&show).await?;
    let before = server.at_rest().await?;
    for slot in 0..arguments.sessions {
        let kind = match slot {
            slot if slot < arguments.painted => Kind::Painted,
            slot if slot < arguments.painted + arguments.sessions / 5 => Kind::Edges,
            slot if slot + 1 == arguments.sessions => Kind::Large,
            _ => Kind::Plain,
        };
        show.sessions.open(&show, kind).await?;
    }
    let crowd = Crowd::come(&show, arguments.viewers, arguments.checkers);
    let memory = Memory::watch(server.process, arguments.verbose);
    let end = memory.began() + Duration::from_secs(arguments.seconds);
    let (faults, accounts) = tokio::join!(faults::play(&show, end), accounts::look(&show, end));
    let levels = memory.levels(WARM, LOOK);
    show.ledger.add("accounts looked at", accounts);
    // Everybody's stream ends with its session, or is left.
    show.close();
    show.sessions.end_all(&show).await;
    crowd.leave(&show.ledger).await;
    let after = server.at_rest().await?;
    accounts::settle(&show, &faults).await;
    let drained = drain::drain(server, &show).await;
    let drained = drained
        .inspect_err(|error| show.ledger.complain(format!("{error:#}")))
        .ok();
    Report {
        sessions: arguments.sessions,
        viewers: arguments.viewers,
        levels,
        handles: (before, after),
        drained,
        took: start.elapsed(),
    }
    .print(&show, &faults);
    if !show.ledger.complaints().is_empty() {
        println!(
            "\nThe faults, and when they came:\n\n{}",
            faults.log.join("\n")
        );
    }
    Ok(show.ledger.complaints())
}
