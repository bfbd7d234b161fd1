//! The end: SIGTERM while sessions run and viewers watch. Streams say goodbye, and the process ends as it should.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::server::{DRAIN, Server};
use crate::sessions::{Kind, Session};
use crate::show::Show;
use crate::viewer::{End, Habits, Visit};

const SESSIONS: usize = 3;
const VIEWERS: u64 = 30;

/// What streams may take to end behind `--drain`, on a machine with other work.
const GRACE: Duration = Duration::from_secs(10);

/// Answers how long it took.
pub async fn drain(mut server: Server, show: &Show) -> anyhow::Result<Duration> {
    let mut sessions = Vec::new();
    for _ in 0..SESSIONS {
        sessions.push(show.sessions.open(show, Kind::Plain).await?);
    }
    // Only for one whose pictures come from outside does a server wait.
    show.sessions.open_empty(show).await?;
    let mut viewers = JoinSet::new();
    for number in 0..VIEWERS {
        let session = sessions[number as usize % SESSIONS].clone();
        viewers.spawn(watch(show.clone(), session, number));
    }
    sleep(Duration::from_secs(2)).await;
    server.terminate()?;
    let start = Instant::now();
    let status = server
        .end(DRAIN + GRACE)
        .await?
        .with_context(|| format!("the server has not ended {:?} after SIGTERM", DRAIN + GRACE))?;
    let took = start.elapsed();
    if !status.success() {
        bail!("the server ended with {status}; it said\n{}", server.log());
    }
    if took < DRAIN {
        show.ledger.complain(format!(
            "the server ended after {took:?}, though a session could go on for {DRAIN:?}"
        ));
    }
    while let Ok(Some(ended)) = timeout(GRACE, viewers.join_next()).await {
        match ended? {
            Ok(End::Ended(Some(word))) if word == "draining" => {}
            Ok(end) => show.ledger.complain(format!(
                "a stream ended as `{end:?}` when the server stopped"
            )),
            Err(error) => show
                .ledger
                .complain(format!("when the server stopped: {error:#}")),
        }
    }
    if !viewers.is_empty() {
        show.ledger
            .complain(format!("{} streams outlive the server", viewers.len()));
    }
    Ok(took)
}

async fn watch(show: Show, session: Session, number: u64) -> anyhow::Result<End> {
    let habits = Habits {
        checks: true,
        ..Habits::reader()
    };
    let mut chance = show.chance(9000 + number);
    Visit::of(&show, &habits, session).make(&mut chance).await
}
