//! What `tests/fuzz/seeds.py` writes, and what becomes of it in a few seconds of changes: each reader takes all of it. The
//! changes are the same in every run, as far as it gets.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use limn_rubble::{READERS, Reader};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// A reader that takes so long for one input hangs: the slowest takes a hundredth on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// More than the readers and all their inputs take together.
const MOST_MEMORY_KB: u64 = 2 << 20;

/// Inputs do not grow for ever.
const LONGEST: usize = 16 << 10;

#[test]
fn every_reader_takes_its_seeds_and_what_becomes_of_them() {
    let seconds = std::env::var("LIMN_RUBBLE_SECONDS").map_or(15.0, |text| text.parse().unwrap());
    let threads: Vec<_> = READERS
        .iter()
        .map(|(name, reader)| std::thread::spawn(move || (*name, feed(name, *reader, seconds))))
        .collect();
    for thread in threads {
        let (name, count) = thread.join().expect("the reader takes whatever comes");
        eprintln!("{name}: {count} inputs");
    }
}

// They are built by `make fuzz` alone, which takes long; this keeps them from rotting meanwhile.
#[test]
fn every_reader_has_a_fuzz_target_and_stands_in_the_makefile() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    let names: Vec<_> = READERS.iter().map(|(name, _)| *name).collect();
    if cfg!(feature = "torch") {
        let line = format!("READERS := {}\n", names.join(" "));
        assert!(text("Makefile").contains(&line), "{line}");
    }
    for name in names {
        let target = text(&format!("tests/fuzz/fuzz_targets/{name}.rs"));
        assert!(target.contains(&format!("|input: &[u8]| limn_rubble::{name}::read(input)")));
        let manifest = text("tests/fuzz/Cargo.toml");
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")));
    }
}

/// How many inputs `reader` took in so many seconds.
fn feed(name: &str, reader: Reader, seconds: f64) -> usize {
    let mut inputs = seeds(name);
    for input in &inputs {
        try_on(name, reader, input);
    }
    let seeds = inputs.len();
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut random = SmallRng::seed_from_u64(7);
    let mut count = seeds;
    while Instant::now() < end {
        let at = random.random_range(0..inputs.len());
        let other = random.random_range(0..inputs.len());
        let changed = changed(&inputs[at], &inputs[other], &mut random);
        try_on(name, reader, &changed);
        count += 1;
        // One in so many is changed further; seeds stay as they are.
        if random.random_ratio(1, 16) {
            match inputs.len() {
                ..256 => inputs.push(changed),
                len => inputs[random.random_range(seeds..len)] = changed,
            }
        }
    }
    count
}

/// One input; whatever it breaks is left where it can be fed again.
fn try_on(name: &str, reader: Reader, input: &[u8]) {
    let start = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| reader(input)));
    let took = start.elapsed();
    let memory = peak_memory_kb();
    if outcome.is_err() || took > PATIENCE || memory > MOST_MEMORY_KB {
        let left = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.input"));
        fs::write(&left, input).unwrap();
        eprintln!(
            "{name} broke in {took:.1?} with {memory} kB at its {} bytes, which are in {}",
            input.len(),
            left.display()
        );
        if let Err(panic) = outcome {
            resume_unwind(panic);
        }
        panic!("{name} took too long or too much");
    }
}

/// Some bytes of `input` set, copied, cut out, or taken from `other`.
fn changed(input: &[u8], other: &[u8], random: &mut SmallRng) -> Vec<u8> {
    const EDGES: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, b'0', b'"', b'\n'];
    let mut input = input.to_vec();
    for _ in 0..random.random_range(1..=6) {
        let from = random.random_range(0..=input.len());
        let to = (from + random.random_range(1..=16)).min(input.len());
        match random.random_range(0..7) {
            0 if from < to => input[from] = random.random(),
            1 if from < to => input[from] = EDGES[random.random_range(0..EDGES.len())],
            2 if from < to => input[from] ^= 1 << random.random_range(0..8),
            3 => drop(input.drain(from..to)),
            4 => drop(input.splice(from..from, input[from..to].to_vec().repeat(3))),
            5 => input.insert(from, random.random()),
            _ => {
                let at = random.random_range(0..=other.len());
                let length = random.random_range(0..=64);
                let piece = &other[at..(at + length).min(other.len())];
                drop(input.splice(from..to, piece.iter().copied()));
            }
        }
    }
    input.truncate(LONGEST);
    input
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/seeds")
        .join(name);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| {
        let folder = folder.display();
        panic!("{error}: {folder}; make it with `.venv/bin/python tests/fuzz/seeds.py`")
    });
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Of this whole process; 0 where the system does not say.
fn peak_memory_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}
