//! Whether what the server counts adds up: session by session and viewer by viewer while they run, all together afterwards.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::Value;

use crate::api::ask;
use crate::counters::Counters;
use crate::faults::Played;
use crate::show::Show;

const EVERY: Duration = Duration::from_secs(3);

/// Where a frame can be that has no fate yet: in the cell before `prepare`, in it, in the cell before `paint`, in it, and
/// the newer one that waits beside it.
const ON_THE_WAY: u64 = 5;

/// Frames that were overtaken are counted when the stage before which they were takes the next one. A machine with other
/// work keeps it waiting for so many frames, or not much longer.
const UNTOLD: u64 = 50;

/// Counters are read one after the other, while they are raised.
const MEANWHILE: i64 = 5;

/// Where bytes can be that were counted as sent and that nobody has read: in a part on its way to the kernel, in the kernel
/// on either side, and in a part that came half.
const UNREAD_BYTES: u64 = 512 << 10;

/// How long the last counters may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Looks again and again until `end`; answers how often.
pub async fn look(show: &Show, end: Instant) -> u64 {
    let (mut looked, mut skips) = (0, Skips::default());
    while Instant::now() + EVERY < end {
        tokio::time::sleep(EVERY).await;
        if let Err(error) = once(show, &mut skips).await {
            show.ledger.complain(format!("accounts: {error:#}"));
        }
        looked += 1;
    }
    tokio::time::sleep(end.saturating_duration_since(Instant::now())).await;
    show.ledger
        .add("skips seen in viewers' own figures", skips.total());
    looked
}

/// What viewers skipped, as far as their own figures were seen.
#[derive(Default)]
struct Skips {
    by_port: HashMap<u16, u64>,
    /// Of those who have gone.
    gone: u64,
}

impl Skips {
    fn see(&mut self, port: u16, skipped: u64) {
        let known = self.by_port.entry(port).or_default();
        // Fewer than before: another viewer has the port now.
        if skipped < *known {
            self.gone += *known;
        }
        *known = skipped;
    }

    fn total(&self) -> u64 {
        self.gone + self.by_port.values().sum::<u64>()
    }
}

async fn once(show: &Show, skips: &mut Skips) -> anyhow::Result<()> {
    // What they had read before the server is asked, it has counted as sent.
    let before: HashMap<u16, (u64, u64)> = show.seats.so_far();
    let answer = ask(show.address, "GET", "/api/state", None, b"").await?;
    let state = answer.json();
    let sessions = state["sessions"].as_array().context("no sessions")?;
    for session in sessions {
        if let Some(sentence) = unaccounted(&session["stats"]) {
            let label = &session["label"];
            show.ledger
                .complain(format!("the session {label} {sentence}"));
        }
    }
    let viewers = sessions.iter().chain([&state["program"]]);
    let viewers = viewers
        .filter_map(|one| one["viewers"].as_array())
        .flatten();
    for viewer in viewers {
        let number = |field: &str| viewer[field].as_u64().unwrap_or(0);
        let port = viewer["port"]
            .as_u64()
            .and_then(|port| port.try_into().ok());
        let port: u16 = port.context("a viewer without a port")?;
        skips.see(port, number("skipped"));
        let Some(seat) = show.seats.at(port) else {
            continue;
        };
        let (pictures, bytes) = (number("pictures"), number("bytes"));
        let Some((parts, _)) = before.get(&port) else {
            continue;
        };
        let (_, read) = seat.so_far();
        show.ledger.one("viewers' figures compared");
        if pictures < *parts || bytes > read + UNREAD_BYTES {
            show.ledger.complain(format!(
                "the viewer on port {port} had read {parts} parts, now {read} bytes; the server says that it sent {pictures}, \
                 {bytes} bytes"
            ));
        }
    }
    Ok(())
}

/// What is wrong with a session's numbers.
fn unaccounted(stats: &Value) -> Option<String> {
    let number = |field: &str| stats[field].as_i64().unwrap_or(0);
    let came = number("received") + number("again");
    let gone: i64 = ["painted", "unchanged", "skipped", "refused"]
        .into_iter()
        .map(number)
        .sum();
    let most = (ON_THE_WAY + UNTOLD) as i64;
    (!(-MEANWHILE..=most).contains(&(came - gone)))
        .then(|| format!("took {came} frames, of which {gone} came somewhere: {stats}"))
}

/// Everybody has left, no session runs: each frame has had its fate, and each part its reader.
pub async fn settle(show: &Show, faults: &Played) {
    let start = Instant::now();
    let mut wrong = loop {
        let wrong = match Counters::read(show).await {
            Ok(counters) => differences(show, faults, &counters),
            Err(error) => vec![format!("{error:#}")],
        };
        if wrong.is_empty() || start.elapsed() > PATIENCE {
            break wrong;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    wrong
        .drain(..)
        .for_each(|sentence| show.ledger.complain(sentence));
}

/// What does not add up.
fn differences(show: &Show, faults: &Played, counters: &Counters) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut expect = |holds: bool, sentence: String| {
        if !holds {
            wrong.push(sentence);
        }
    };
    let (sessions, viewers) = (counters.get("limn_sessions"), counters.get("limn_viewers"));
    expect(
        sessions + viewers == 0,
        format!("{sessions} sessions and {viewers} viewers are left"),
    );
    let begun = counters.get("limn_sessions_begun_total");
    let ended = counters.sum("limn_sessions_ended_total");
    let ours = u64::from(show.sessions.begun());
    expect(
        begun == ours && ended == ours,
        format!("{ours} sessions were begun, {begun} are counted, and {ended} that ended"),
    );
    let came = counters.frames("received") + counters.frames("again");
    let withdrawn = counters.frames("withdrawn");
    let fates = ["painted", "unchanged", "refused"].map(|fate| counters.frames(fate));
    let overtaken = counters.sum("limn_frames_overtaken_total");
    let gone = fates.iter().sum::<u64>() + overtaken + withdrawn;
    expect(
        came == gone && came > 0,
        format!("{came} frames came, and {gone} are accounted for"),
    );
    expect(
        withdrawn <= ended * (ON_THE_WAY + UNTOLD),
        format!("{withdrawn} frames were withdrawn with {ended} sessions"),
    );
    let (parts, bytes) = (show.ledger.count("parts"), show.ledger.count("bytes"));
    let sent = counters.get("limn_parts_sent_total");
    let sent_bytes = counters.get("limn_sent_bytes_total");
    let streams = show.ledger.count("streams");
    expect(
        sent >= parts && sent_bytes >= bytes && sent_bytes <= bytes + streams * UNREAD_BYTES,
        format!(
            "{parts} parts of {bytes} bytes were read from {streams} streams, and {sent} of {sent_bytes} are counted as sent"
        ),
    );
    let seen = show.ledger.count("skips seen in viewers' own figures");
    let skipped = counters.get("limn_parts_skipped_total");
    expect(
        skipped >= seen && skipped > 0,
        format!("viewers' own figures say {seen} skips, and {skipped} are counted"),
    );
    let restarts = counters.get("limn_device_restarts_total");
    expect(
        restarts == faults.kills,
        format!(
            "the device's process was killed {} times, and {restarts} restarts are counted",
            faults.kills
        ),
    );
    for (status, count) in counters.answers() {
        let asked = show.ledger.were_asked_for(&status);
        expect(
            !status.starts_with('5') || count == asked,
            format!("{count} answers were {status}, of which {asked} were asked for"),
        );
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_lost_is_missed() {
        let stats = |painted: u64| json!({"received": 600, "again": 40, "painted": painted, "skipped": 30, "refused": 10});
        assert_eq!(unaccounted(&stats(595)), None);
        assert!(unaccounted(&stats(500)).is_some_and(|said| said.contains("took 640 frames")));
        assert!(unaccounted(&stats(700)).is_some());
    }
}
