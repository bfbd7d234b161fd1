//! `server doctor`: looks at what a server needs on this machine, and says what to do where something is missing.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::process::Command;

use limn_ndi::Ndi;
use limn_pipeline::{Registry, RunsOn};

use crate::config::Config;

/// How something stands.
enum Found {
    /// As it should.
    Well(String),
    /// Missing, and not needed for everything; what to do.
    Missing(String, &'static str),
    /// The server would not work so; what to do.
    Wrong(String, &'static str),
}

use Found::{Missing, Well, Wrong};

/// Looks at everything; answers the words, and whether a server would work.
pub fn examine(config: &Config, registry: &Registry) -> (String, bool) {
    let looks: [(&str, Found); 8] = [
        ("device", device(config, registry)),
        ("weights", weights(config, registry)),
        ("safety", safety(config, registry)),
        ("port", port(config)),
        ("page", page(config)),
        ("ffmpeg", ffmpeg()),
        ("ndi", ndi()),
        ("open files", open_files()),
    ];
    let mut text = format!("limn {}\n", env!("CARGO_PKG_VERSION"));
    for (name, found) in &looks {
        let (mark, words, advice) = match found {
            Well(words) => ("ok", words, None),
            Missing(words, advice) => ("--", words, Some(advice)),
            Wrong(words, advice) => ("!!", words, Some(advice)),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{mark}  {name:<11} {words}");
        if let Some(advice) = advice {
            let _ = writeln!(text, "    {:<11} {advice}", "");
        }
    }
    let works = looks.iter().all(|(_, found)| !matches!(found, Wrong(..)));
    (text, works)
}

fn device(config: &Config, registry: &Registry) -> Found {
    let inference = &config.inference;
    match (registry.device)(&inference.device, &inference.dtype) {
        Ok(device) => Well(device.why),
        Err(error) => Wrong(
            error.to_string(),
            "`--device cpu` always works; for NVIDIA, libtorch with CUDA and its driver are needed",
        ),
    }
}

fn weights(config: &Config, registry: &Registry) -> Found {
    let entries = registry.entries.iter();
    let rows = entries
        .filter(|entry| entry.info.runs_on == RunsOn::Device)
        .flat_map(|entry| entry.rows);
    let model = config.inference.model.as_deref();
    let with: Vec<_> = rows
        .map(|row| {
            let name = (registry.at_hand)(model, row).checkpoint;
            let name = name.map_or("none", |checkpoint| checkpoint.name);
            format!("{} {name}", row.id)
        })
        .collect();
    if with.is_empty() {
        return Missing(
            "this build has no diffusion pipeline".to_owned(),
            "build it with libtorch: `make build`",
        );
    }
    Well(with.join(", "))
}

fn safety(config: &Config, registry: &Registry) -> Found {
    let Some(name) = &config.inference.safety_checker else {
        return Well("nobody asks for the checker: `--safety-checker` does".to_owned());
    };
    match (registry.safety)(name) {
        Ok(()) => Well(name.clone()),
        Err(error) => Wrong(
            error.to_string(),
            "a server that was told to check does not start without; a folder can be named as well",
        ),
    }
}

fn port(config: &Config) -> Found {
    let at = (config.http.host, config.http.port);
    match TcpListener::bind(at) {
        Ok(_) => Well(format!("{}:{} is free", at.0, at.1)),
        Err(error) => Wrong(
            format!("{}:{}: {error}", at.0, at.1),
            "another server may run there already; `--port` takes another",
        ),
    }
}

fn page(config: &Config) -> Found {
    match &config.http.frontend {
        Some(folder) if folder.join("index.html").is_file() => {
            Well(format!("from {}", folder.display()))
        }
        Some(folder) => Wrong(
            format!("no index.html in {}", folder.display()),
            "leave `--frontend` out for the page that comes with the server",
        ),
        None if cfg!(feature = "frontend") => Well("inside the program".to_owned()),
        None => Missing(
            "this build has no page".to_owned(),
            "build it with its page: `make build`",
        ),
    }
}

fn ffmpeg() -> Found {
    let advice =
        "needed for `--source` with cameras, screens and files; Debian: apt install ffmpeg";
    match Command::new("ffmpeg").arg("-version").output() {
        Ok(answer) => {
            let words = String::from_utf8_lossy(&answer.stdout).into_owned();
            Well(words.lines().next().unwrap_or("ffmpeg").to_owned())
        }
        Err(error) => Missing(format!("not found: {error}"), advice),
    }
}

fn ndi() -> Found {
    match Ndi::load() {
        Ok(ndi) => Well(ndi.version()),
        Err(error) => Missing(
            error.to_string(),
            "needed for `--ndi` and `ndi:` sources; https://ndi.video has it",
        ),
    }
}

/// A viewer takes two.
const FEW_FILES: u64 = 4096;

fn open_files() -> Found {
    use rustix::process::{Resource, getrlimit};
    let most = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    let words = format!("{most} at a time");
    if most < FEW_FILES {
        return Missing(
            words,
            "two for each viewer: `ulimit -Hn 65536` before the start allows more",
        );
    }
    Well(words)
}
