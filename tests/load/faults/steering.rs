//! What owners and operators may do, done too often.

use anyhow::ensure;
use limn_tests::http::Answer;
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::api::ask;
use crate::sessions::{HEIGHT, Kind, Session, WIDTH};
use crate::show::Show;

/// Sizes of the pattern's proportions, so that nothing of a mark is cut.
const SIZES: [(u32, u32); 4] = [(192, 144), (256, 192), (WIDTH, HEIGHT), (384, 288)];

async fn steer(
    show: &Show,
    session: &Session,
    method: &str,
    below: &str,
    body: &Value,
) -> anyhow::Result<Answer> {
    let (path, body) = (session.path(below), body.to_string());
    let control = Some(session.control.as_str());
    ask(show.address, method, &path, control, body.as_bytes()).await
}

/// Dozens of changes as fast as they are taken; it ends as it began.
pub async fn storm(show: &Show, chance: &mut StdRng) -> anyhow::Result<()> {
    let small = |kind| matches!(kind, Kind::Plain | Kind::Edges);
    let Some(session) = show.sessions.draw(chance, small) else {
        return Ok(());
    };
    let changes = chance.random_range(10..60);
    for change in 1..=changes {
        let (width, height) = match change {
            change if change == changes => (WIDTH, HEIGHT),
            _ => SIZES[chance.random_range(0..SIZES.len())],
        };
        let bad = change != changes && chance.random_bool(0.1);
        let patch = if bad {
            json!({"width": -1, "nonesuch": change})
        } else {
            json!({"width": width, "height": height})
        };
        let status = steer(show, &session, "PATCH", "/params", &patch)
            .await?
            .status;
        let wanted = if bad { 422 } else { 200 };
        ensure!(status == wanted, "{patch} was answered with {status}");
    }
    Ok(())
}

/// One session is over, and another takes its place.
pub async fn renew(show: &Show, chance: &mut StdRng) -> anyhow::Result<()> {
    let Some(session) = show.sessions.draw(chance, |_| true) else {
        return Ok(());
    };
    show.sessions.end(show, &session).await?;
    show.sessions.open(show, session.kind).await?;
    Ok(())
}

/// Between the rows that need no device, while live.
pub async fn switch(show: &Show, chance: &mut StdRng) -> anyhow::Result<()> {
    let Some(session) = show.sessions.draw(chance, |kind| kind == Kind::Edges) else {
        return Ok(());
    };
    for _ in 0..chance.random_range(1..6) {
        let row = ["canny", "passthrough"][chance.random_range(0..2)];
        let status = steer(show, &session, "PATCH", "", &json!({"row": row}))
            .await?
            .status;
        ensure!(status == 200, "row `{row}` was answered with {status}");
    }
    Ok(())
}

/// Somebody else is on air, at once or little by little.
pub async fn cut(show: &Show, chance: &mut StdRng) -> anyhow::Result<()> {
    let session = show.sessions.draw(chance, |_| true);
    let id = session
        .filter(|_| chance.random_bool(0.9))
        .map(|session| session.id);
    let fade = [0, 0, 500][chance.random_range(0..3)];
    let body = json!({"session": id, "fade_ms": fade}).to_string();
    let answer = ask(show.address, "PUT", "/api/program", None, body.as_bytes()).await?;
    ensure!(
        answer.status == 200,
        "{body} was answered with {}",
        answer.status
    );
    Ok(())
}
