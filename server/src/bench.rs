//! `server bench`: frames per second and p50/p99 of each stage, from the device's side: no camera, no viewer.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use limn_pipeline::{Cancel, Frame, HostJob, LoadContext, Registry, SessionId, Size, Unknown};
use serde_json::{Map, Value, json};

use crate::config::Config;
use crate::encode::encode;
use crate::listing::Listing;
use crate::picture::Rendition;

/// What to measure.
#[derive(Args, Clone, Debug)]
pub struct BenchConfig {
    /// The size to paint
    #[arg(long, value_name = "WxH", default_value = "512x512")]
    pub size: Size,
    /// How long to measure, after one frame to warm up
    #[arg(long, value_name = "S", default_value_t = 10.0)]
    pub seconds: f64,
    /// Sessions that paint at the same time
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub sessions: u64,
    /// Build the full-size networks with random weights and read no file
    #[arg(long)]
    pub random_weights: bool,
    /// Parameters that differ from the row's defaults, as a JSON object
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub params: String,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
}

/// Measures and prints to standard output.
pub async fn run(task: &BenchConfig, config: &Config, registry: &Registry) -> anyhow::Result<()> {
    // Random weights are of the row's own shape, whatever is on this machine.
    let named = match config.inference.model.as_deref() {
        None if task.random_weights => Some("random"),
        model => model,
    };
    let listing = Listing::new(
        *registry,
        config.inference.pipeline.as_deref(),
        named,
        false,
    )?;
    let choice = listing.first().clone();
    let mut patch: Map<String, Value> =
        serde_json::from_str(&task.params).context("--params is not a json object")?;
    patch.insert("width".to_owned(), task.size.width.into());
    patch.insert("height".to_owned(), task.size.height.into());
    let params = choice
        .door
        .apply(choice.door.defaults(), &patch, Unknown::Refuse)?;
    let device = (registry.device)(&config.inference.device, &config.inference.dtype)?;
    let context = LoadContext {
        random_weights: task.random_weights,
        ..config.inference.context(&device)
    };
    let mut host = (choice.entry.load)(&context, choice.row)?;
    while !host.settle()? {}

    let mut times: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let (mut frames, mut begun, mut number) = (0, None, 0);
    loop {
        let mut jobs = Vec::new();
        let turn = Instant::now();
        for session in 1..=task.sessions {
            number += 1;
            let frame = moving_picture(task.size, number);
            let start = Instant::now();
            let prepared = (choice.entry.prepare)(Some(frame), &params)?;
            note(&mut times, "prepare", start.elapsed());
            jobs.push(HostJob {
                session: SessionId(session),
                params: params.clone(),
                prepared,
                cancel: Cancel::default(),
            });
        }
        for output in host.turn(&jobs) {
            let output = output?;
            output.stages.iter().for_each(|time| {
                times
                    .entry(time.stage.to_string())
                    .or_default()
                    .push(time.millis)
            });
            let start = Instant::now();
            encode(
                &output.frame,
                Rendition::default(),
                config.encode.jpeg_quality,
            )?;
            note(&mut times, "encode_jpeg", start.elapsed());
            frames += 1;
        }
        note(&mut times, "all", turn.elapsed());
        match begun {
            // The first turn pays for what is allocated and compiled once.
            None => {
                begun = Some(Instant::now());
                times.clear();
                frames = 0;
            }
            Some(begun) if begun.elapsed().as_secs_f64() >= task.seconds => break,
            Some(_) => {}
        }
    }
    let fps = f64::from(frames) / begun.map_or(1.0, |begun| begun.elapsed().as_secs_f64());
    print(
        task,
        choice.row.id,
        &format!("{} {}", device.device, device.dtype),
        fps,
        times,
    )
}

/// A picture that differs from frame to frame, so that nothing can be cached.
fn moving_picture(size: Size, number: u32) -> Frame {
    let pixel = |x: u32, y: u32| {
        [
            (x + number * 3) as u8,
            (y * 2 + number) as u8,
            ((x ^ y) + number) as u8,
        ]
    };
    let pixels: Vec<u8> = (0..size.height)
        .flat_map(|y| (0..size.width).flat_map(move |x| pixel(x, y)))
        .collect();
    Frame::rgb8(size, pixels).unwrap_or_else(|_| Frame::filled(size, [0; 3]))
}

fn note(times: &mut BTreeMap<String, Vec<f64>>, stage: &str, time: Duration) {
    times
        .entry(stage.to_owned())
        .or_default()
        .push(time.as_secs_f64() * 1000.0);
}

/// The value below which `share` of the sorted values lie (nearest rank).
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

#[expect(
    clippy::print_stdout,
    reason = "the result of a command belongs on standard output"
)]
fn print(
    task: &BenchConfig,
    row: &str,
    device: &str,
    fps: f64,
    times: BTreeMap<String, Vec<f64>>,
) -> anyhow::Result<()> {
    let stages = times.into_iter().map(|(stage, mut millis)| {
        millis.sort_by(f64::total_cmp);
        (stage, quantile(&millis, 0.5), quantile(&millis, 0.99))
    });
    if task.json {
        let stages: Map<_, _> = stages
            .map(|(stage, p50, p99)| (stage, json!({"p50_ms": round(p50), "p99_ms": round(p99)})))
            .collect();
        println!(
            "{}",
            json!({"row": row, "size": task.size.to_string(), "sessions": task.sessions, "device": device, "fps": round(fps), "stages": stages})
        );
        return Ok(());
    }
    println!(
        "{row} at {}, {} session(s), {device}: {fps:.2} frames per second\n",
        task.size, task.sessions
    );
    println!("| stage | p50 ms | p99 ms |\n|---|---|---|");
    stages.for_each(|(stage, p50, p99)| println!("| {stage} | {p50:.2} | {p99:.2} |"));
    Ok(())
}

fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_nearest_rank() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(
            (quantile(&values, 0.5), quantile(&values, 0.99)),
            (50.0, 99.0)
        );
        assert_eq!(quantile(&[3.0], 0.99), 3.0);
    }
}
