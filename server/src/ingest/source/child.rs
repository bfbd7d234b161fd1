//! A source that ffmpeg reads: a child process that writes raw pictures, started again whenever it stops or hangs.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::ppm;
use super::url::SourceUrl;
use super::{State, Tap};

/// No picture for so long, and the child hangs.
const HANG: Duration = Duration::from_secs(5);

/// A child that has run for so long was well: the next pause is the first again.
const WELL: Duration = Duration::from_secs(10);

/// Pauses between one try and the next; the last for ever.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// Pictures are no larger than this on their way to us; what paints them is smaller.
const LARGEST: &str =
    "scale='min(1920,iw)':'min(1920,ih)':force_original_aspect_ratio=decrease:force_divisible_by=2";

/// Reads the source for ever, or to its end if it has one.
pub(super) async fn run(url: &SourceUrl, options: &[String], input: &str, ends: bool, tap: &Tap) {
    let mut failures = 0;
    loop {
        let start = tokio::time::Instant::now();
        let why = match read(url, options, input, tap).await {
            Ok(()) if ends => {
                tap.say(State::Ended);
                return;
            }
            Ok(()) => "it ended".to_owned(),
            Err(why) => why,
        };
        if start.elapsed() > WELL {
            failures = 0;
        }
        let pause = PAUSES[failures.min(PAUSES.len() - 1)];
        failures += 1;
        if failures == 1 {
            tracing::warn!("source {url}: {why}; it is tried again");
        }
        tap.say(State::Reconnecting(why));
        sleep(pause).await;
    }
}

/// One child from start to end; `Err` says what stopped it.
async fn read(url: &SourceUrl, options: &[String], input: &str, tap: &Tap) -> Result<(), String> {
    let mut child = start(options, input).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "`ffmpeg` is not installed".to_owned(),
        _ => format!("ffmpeg does not start: {error}"),
    })?;
    let complaint = listen(url.clone(), &mut child);
    let stdout = child.stdout.take().ok_or("ffmpeg has no output")?;
    let mut pictures = BufReader::with_capacity(1 << 20, stdout);
    let outcome = loop {
        match timeout(HANG, ppm::read(&mut pictures)).await {
            Ok(Ok(Some(frame))) => tap.put(frame),
            Ok(Ok(None)) => break Ok(()),
            Ok(Err(error)) => break Err(error.to_string()),
            Err(_) => break Err(format!("no picture for {} s", HANG.as_secs())),
        }
    };
    // A child that hangs does not end by itself; one that has ended does not mind.
    let _ = child.start_kill();
    let status = child.wait().await.map_err(|error| error.to_string())?;
    let complaint = complaint.await.unwrap_or_default();
    match outcome {
        Ok(()) if status.success() => Ok(()),
        Ok(()) => Err(if complaint.is_empty() {
            format!("ffmpeg: {status}")
        } else {
            complaint
        }),
        Err(why) => Err(why),
    }
}

fn start(options: &[String], input: &str) -> std::io::Result<Child> {
    Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-loglevel", "warning"])
        // What is late is of no use: no frames held for reordering.
        .args(["-flags", "low_delay"])
        .args(options)
        .args(["-i", input, "-an", "-sn", "-dn", "-vf", LARGEST])
        // A thread of the writer holds a picture back for each other one.
        .args([
            "-threads",
            "1",
            "-fps_mode",
            "passthrough",
            "-flush_packets",
            "1",
        ])
        .args(["-c:v", "ppm", "-f", "image2pipe", "pipe:1"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

/// Takes what the child complains of into our log; answers its last line.
fn listen(url: SourceUrl, child: &mut Child) -> tokio::task::JoinHandle<String> {
    let stderr = child.stderr.take();
    tokio::spawn(async move {
        let mut last = String::new();
        let Some(stderr) = stderr else { return last };
        let mut lines = BufReader::new(stderr).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            last = url.redact(line.trim());
            tracing::debug!("source {url}: ffmpeg: {last}");
        }
        last
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tokio::sync::watch;

    use super::super::url::Kind;
    use super::*;
    use crate::cell::Inlet;

    /// Why ffmpeg does not read the source of that name.
    async fn refused(name: &str) -> String {
        let url: SourceUrl = name.parse().unwrap();
        let Kind::Ffmpeg { options, input, .. } = &url.kind else {
            panic!("{name} is not read by ffmpeg");
        };
        let tap = Tap {
            frames: Inlet::default(),
            state: watch::Sender::new(State::Opening),
        };
        read(&url, options, input, &tap).await.unwrap_err()
    }

    #[tokio::test]
    async fn no_shell_reads_the_name_of_a_source() {
        let made = format!("limn-made-by-a-shell-{}", std::process::id());
        let folder = std::env::temp_dir().join(format!("limn-shell-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for (before, behind) in [
            (";", ";"),
            ("$(", ")"),
            ("`", "`"),
            ("|", "|"),
            ("&", "&"),
            ("\";", ";\""),
            ("';", ";'"),
        ] {
            let command = format!("{before} touch {made} {behind}");
            let file = folder.join(&command);
            std::fs::write(&file, "no film").unwrap();
            for name in [
                file.display().to_string(),
                format!("v4l2:/dev/nonesuch{command}"),
                format!("http://127.0.0.1:9/{}", command.replace(' ', "${IFS}")),
            ] {
                let why = refused(&name).await;
                assert!(!why.contains("ffmpeg"), "ffmpeg says it itself: {why}");
                assert!(!Path::new(&made).exists(), "{name}");
            }
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
