//! Limn: the release binary with the pipeline that changes nothing, one session, one camera.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::{Context, ensure};
use limn_tests::http::ask;
use serde_json::json;

use crate::camera::Camera;
use crate::pictures::{HEIGHT, WIDTH};
use crate::server::{Door, Program, Server};

/// Starts the binary and a camera that plays `pictures`.
pub fn start(binary: &Path, pictures: Arc<Vec<Vec<u8>>>) -> anyhow::Result<Server> {
    let child = Command::new(binary)
        .args(["--pipeline", "passthrough", "--port", "0"])
        .args(["--max-sessions", "0", "--idle-timeout", "0"])
        .args(["--max-viewers", "0", "--max-viewers-per-session", "0"])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", binary.display()))?;
    let mut program = Program(child);
    let log = program.0.stderr.take().context("it has a log")?;
    let mut lines = BufReader::new(log).lines().map_while(Result::ok);
    let address = lines
        .find_map(|line| address(&line))
        .context("the server ended before it said where it listens")?;
    // A full pipe would stop it.
    std::thread::spawn(move || lines.for_each(drop));
    let (id, control) = begin(address)?;
    let camera = Camera::start(address, &id, &control, pictures)?;
    let door = Door {
        address,
        stream: format!("/api/sessions/{id}/stream.mjpeg"),
        snapshot: format!("/api/sessions/{id}/snapshot.jpg"),
        user_agent: None,
    };
    Ok(Server::new("Limn", door, program, Some(camera)))
}

/// The address in its line `limn paints with ...: http://ADDRESS/`.
fn address(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("http://")?;
    rest.trim_end().trim_end_matches('/').parse().ok()
}

/// A session in which pictures of ours leave as they came.
fn begin(address: SocketAddr) -> anyhow::Result<(String, String)> {
    let body = json!({"params": {"width": WIDTH, "height": HEIGHT}}).to_string();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let answer = runtime.block_on(ask(address, "POST", "/api/sessions", &[], body.as_bytes()));
    let said = String::from_utf8_lossy(&answer.body);
    ensure!(
        answer.status == 201,
        "no session: {} `{said}`",
        answer.status
    );
    let answer = answer.json();
    let text = |field: &str| answer[field].as_str().map(str::to_owned);
    text("id")
        .zip(text("control"))
        .context("a session without a name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_line_says_where_it_listens() {
        let line =
            "2026-01-01T00:00:00Z  INFO limn paints with `passthrough`: http://127.0.0.1:4321/";
        assert_eq!(address(line), Some(([127, 0, 0, 1], 4321).into()));
        assert_eq!(address("INFO nothing"), None);
    }
}
