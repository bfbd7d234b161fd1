//! How soon a newcomer sees something: from connecting to the first whole picture of the stream, and to a snapshot.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use limn_server::ingest::multipart::Reader;

use crate::peer::Bench;
use crate::pictures::pictures;
use crate::server::{Door, Server};
use limn_tests::table::{head, quantile, row};

/// A prime number of milliseconds, so that newcomers come at all times between two pictures.
const PAUSE: Duration = Duration::from_millis(47);

const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Args)]
pub struct Options {
    /// How many newcomers, one after the other
    #[arg(long, default_value_t = 50)]
    times: usize,
    /// How long a picture is
    #[arg(long, value_name = "BYTES", default_value_t = 107_000)]
    bytes: usize,
}

pub fn run(bench: &Bench, options: &Options) -> anyhow::Result<()> {
    let pictures = Arc::new(pictures(options.bytes)?);
    head(&[
        "server",
        "first picture p50 ms",
        "first picture max ms",
        "snapshot p50 ms",
        "snapshot max ms",
    ]);
    for server in bench.both(&pictures)? {
        let (first, snapshot) = newcomers(&server, options.times)?;
        let cells = [&first, &snapshot].map(|times| {
            [0.5, 1.0]
                .map(|share| format!("{:.2}", quantile(times, share)))
                .join(" | ")
        });
        row(&[server.name, &cells[0], &cells[1]]);
    }
    Ok(())
}

/// Milliseconds to the first picture and to a snapshot, each sorted.
pub fn newcomers(server: &Server, times: usize) -> anyhow::Result<(Vec<f64>, Vec<f64>)> {
    let many = |one: &dyn Fn() -> anyhow::Result<Duration>| {
        let mut all = Vec::new();
        for _ in 0..times {
            std::thread::sleep(PAUSE);
            all.push(one()?.as_secs_f64() * 1000.0);
        }
        all.sort_by(f64::total_cmp);
        anyhow::Ok(all)
    };
    // The camera's first picture is on its way when the server has just been started.
    first_picture(&server.door)?;
    Ok((
        many(&|| first_picture(&server.door))?,
        many(&|| Ok(snapshot(&server.door)?.0))?,
    ))
}

fn first_picture(door: &Door) -> anyhow::Result<Duration> {
    let start = Instant::now();
    let (headers, mut body) = ask(door, &door.stream)?;
    let mut reader = Reader::new(header(&headers, "content-type")?)?;
    loop {
        let bytes = body.fill_buf()?;
        ensure!(!bytes.is_empty(), "the stream ended before a picture came");
        reader.push(bytes);
        let count = bytes.len();
        body.consume(count);
        if let Some(part) = reader.next_part() {
            part?;
            return Ok(start.elapsed());
        }
    }
}

/// How long a snapshot takes, and how many bytes it has.
pub fn snapshot(door: &Door) -> anyhow::Result<(Duration, usize)> {
    let start = Instant::now();
    let (headers, mut body) = ask(door, &door.snapshot)?;
    let mut picture = vec![0; header(&headers, "content-length")?.parse()?];
    body.read_exact(&mut picture)?;
    Ok((start.elapsed(), picture.len()))
}

/// Asks for `path`: the answer's headers, and what comes behind them.
fn ask(door: &Door, path: &str) -> anyhow::Result<(Vec<String>, BufReader<TcpStream>)> {
    let mut stream = TcpStream::connect(door.address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(door.request(path).as_bytes())?;
    let mut body = BufReader::with_capacity(64 << 10, stream);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        ensure!(
            body.read_line(&mut line)? > 0,
            "no whole answer to `{path}`"
        );
        match line.trim_end() {
            "" => break,
            line => headers.push(line.to_owned()),
        }
    }
    let status = headers.first().context("an empty answer")?;
    ensure!(
        status.contains(" 200 "),
        "`{path}` was answered by `{status}`"
    );
    Ok((headers, body))
}

fn header<'a>(headers: &'a [String], name: &str) -> anyhow::Result<&'a str> {
    let mut pairs = headers.iter().filter_map(|line| line.split_once(':'));
    let found = pairs.find(|(key, _)| key.eq_ignore_ascii_case(name));
    Ok(found
        .with_context(|| format!("no `{name}` in the answer"))?
        .1
        .trim())
}
