//! Viewers that leave without a word: a reset in the middle of a picture, a connection closed on one side, one that is
//! never read. Afterwards the server holds what it held before.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use futures_util::future::try_join_all;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::peer::Bench;
use crate::pictures::pictures;
use crate::server::{Door, Server};
use limn_tests::table::{head, row};

/// How many come at once.
const TOGETHER: usize = 50;

/// How long the server may take to notice.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Args)]
pub struct Options {
    /// How many viewers reset their connections
    #[arg(long, default_value_t = 1000)]
    times: usize,
    /// How many close their sending side, or read nothing
    #[arg(long, default_value_t = 50)]
    halves: usize,
    /// How long a picture is
    #[arg(long, value_name = "BYTES", default_value_t = 107_000)]
    bytes: usize,
}

/// What the server holds.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    pub handles: usize,
    pub threads: u64,
    pub resident_bytes: u64,
}

/// What it held before and after, and how long it took to come back.
#[derive(Clone, Copy, Debug)]
pub struct Left {
    pub before: Held,
    pub after: Held,
    pub took: Duration,
    /// Handles still held for viewers that had closed their sending side, while their other side was open.
    pub halves: usize,
}

pub fn run(bench: &Bench, options: &Options) -> anyhow::Result<()> {
    let pictures = Arc::new(pictures(options.bytes)?);
    let server = bench.limn(&pictures)?;
    // What is allocated once is allocated now.
    rush(&server, options.times / 10, options.halves)?;
    let left = rush(&server, options.times, options.halves)?;
    head(&["Limn", "file handles", "threads", "memory MB"]);
    for (when, held) in [("before", left.before), ("after", left.after)] {
        row(&[
            when.to_owned(),
            held.handles.to_string(),
            held.threads.to_string(),
            format!("{:.1}", held.resident_bytes as f64 / 1e6),
        ]);
    }
    println!(
        "\n{} resets, {} half-open; handles were back after {:.2} s. Of {} that had closed their sending side, {} were \
         still held a second later.",
        options.times,
        options.halves,
        left.took.as_secs_f64(),
        options.halves / 2,
        left.halves,
    );
    Ok(())
}

fn held(server: &Server) -> anyhow::Result<Held> {
    Ok(Held {
        handles: server.process.handles()?,
        threads: server.process.threads()?,
        resident_bytes: server.process.resident_bytes()?,
    })
}

/// `times` viewers that reset, then `halves` of which every other closes its sending side and the rest read nothing.
pub fn rush(server: &Server, times: usize, halves: usize) -> anyhow::Result<Left> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let before = held(server)?;
    let mut chance = StdRng::seed_from_u64(times as u64);
    let halves = runtime.block_on(async {
        let mut counts: Vec<usize> = (0..times)
            .map(|_| chance.random_range(0..300_000))
            .collect();
        while !counts.is_empty() {
            let some = counts.split_off(counts.len().saturating_sub(TOGETHER));
            try_join_all(some.into_iter().map(|count| reset(&server.door, count))).await?;
        }
        let unread = try_join_all((0..halves - halves / 2).map(|_| enter(&server.door))).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let open = server.process.handles()?;
        let mut closed = try_join_all((0..halves / 2).map(|_| enter(&server.door))).await?;
        for stream in &mut closed {
            stream.shutdown().await?;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let left = server.process.handles()?.saturating_sub(open);
        drop((unread, closed));
        anyhow::Ok(left)
    })?;
    let start = Instant::now();
    while server.process.handles()? > before.handles && start.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(10));
    }
    let took = start.elapsed();
    Ok(Left {
        before,
        after: held(server)?,
        took,
        halves,
    })
}

async fn enter(door: &Door) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect(door.address).await?;
    stream
        .write_all(door.request(&door.stream).as_bytes())
        .await?;
    Ok(stream)
}

/// Reads `count` bytes and resets the connection.
async fn reset(door: &Door, count: usize) -> anyhow::Result<()> {
    let mut stream = enter(door).await?;
    let mut buffer = vec![0; 8 << 10];
    let mut left = count;
    while left > 0 {
        let wanted = left.min(buffer.len());
        match stream.read(&mut buffer[..wanted]).await? {
            0 => anyhow::bail!("the server ended the stream"),
            read => left -= read,
        }
    }
    // Without waiting for what is unsent, closing is a reset.
    SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
    Ok(())
}
