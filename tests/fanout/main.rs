//! `fanout`: one camera, many viewers, Limn beside the nearest peer on the same pictures. Prints rows of Markdown.
//!
//! Each picture says when it was sent, in an APP0 segment inside its JPEG, so that a viewer knows how old what it sees is.
//! The camera, the viewers and both servers run on one machine and so by one clock.

#![allow(clippy::print_stdout, reason = "the tables go to standard output")]

mod camera;
mod carry;
mod check;
mod compare;
mod first;
mod limn;
mod marker;
mod peer;
mod pictures;
mod resets;
mod server;
mod skim;
mod slow;
mod viewers;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use limn_tests::process::allow_many_handles;
use peer::Bench;

#[derive(Parser)]
#[command(about = "Measure how Limn hands one camera's pictures to many viewers, beside uStreamer")]
struct Arguments {
    #[command(flatten)]
    programs: Programs,
    #[command(subcommand)]
    task: Task,
}

/// What is measured.
#[derive(Args, Clone, Debug)]
pub struct Programs {
    /// Limn's release binary
    #[arg(
        long,
        value_name = "FILE",
        default_value = "target/release/server",
        global = true
    )]
    server: PathBuf,
    /// uStreamer; where there is none, Limn is measured alone
    #[arg(long, value_name = "FILE", default_value = "ustreamer", global = true)]
    peer: PathBuf,
}

#[derive(Subcommand)]
enum Task {
    /// Delay, CPU and memory with 1, 8, 32 and 128 viewers
    Compare(compare::Options),
    /// How many viewers of small pictures get them in time
    Carry(carry::Options),
    /// How old what slow viewers see is, and whether fast ones notice
    Slow(slow::Options),
    /// How soon a new viewer sees a picture, and how soon a snapshot comes
    First(first::Options),
    /// What viewers that reset or close half of their connection leave behind
    Resets(resets::Options),
    /// All of it for less than a minute, within generous limits; fails beyond them
    Check,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    allow_many_handles()?;
    let bench = Bench::prepare(arguments.programs)?;
    match arguments.task {
        Task::Compare(options) => compare::run(&bench, &options),
        Task::Carry(options) => carry::run(&bench, &options),
        Task::Slow(options) => slow::run(&bench, &options),
        Task::First(options) => first::run(&bench, &options),
        Task::Resets(options) => resets::run(&bench, &options),
        Task::Check => check::run(&bench),
    }
}
