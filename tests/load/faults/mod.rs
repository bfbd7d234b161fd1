//! What goes wrong, drawn by chance.

mod device;
mod rubble;
mod silence;
mod sockets;
mod steering;
mod strangers;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::sessions::{Kind, Session};
use crate::show::Show;

/// Viewers come first.
const CALM: Duration = Duration::from_secs(4);

/// From one to the next, in milliseconds.
const PAUSE: std::ops::Range<u64> = 50..600;

/// No fault takes longer by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// The device's process is away while memory is looked at otherwise, and needs a moment to be what it was.
const BETWEEN_KILLS: Duration = Duration::from_secs(25);
const NO_KILL_FROM: Duration = Duration::from_secs(33);
const NO_KILL_UNTIL: Duration = Duration::from_secs(60);
const NO_KILL_BEFORE_THE_END: Duration = Duration::from_secs(40);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    ParameterStorm,
    SessionRenewed,
    RowSwitched,
    ProgramCut,
    Garbage,
    HugeHead,
    HalfRequest,
    HalfOpen,
    DeafViewer,
    JunkSocket,
    OversizedFrame,
    WrongToken,
    NothingThere,
    OversizedBody,
    TooManySizes,
    Hangup,
    DeviceKilled,
}

/// Each with its name, and how often it is drawn beside the others.
const FAULTS: [(Fault, &str, u32); 17] = [
    (Fault::ParameterStorm, "parameter storm", 4),
    (Fault::SessionRenewed, "session ended and begun anew", 4),
    (Fault::RowSwitched, "row switched", 4),
    (Fault::ProgramCut, "program cut", 3),
    (Fault::Garbage, "garbage for HTTP", 3),
    (Fault::HugeHead, "huge headers", 2),
    (Fault::HalfRequest, "half a request", 2),
    (Fault::HalfOpen, "half-open connection", 2),
    (Fault::DeafViewer, "viewer that stops reading", 3),
    (Fault::JunkSocket, "junk on a socket", 3),
    (Fault::OversizedFrame, "oversized message on a socket", 2),
    (Fault::WrongToken, "wrong token", 2),
    (Fault::NothingThere, "nothing there", 2),
    (Fault::OversizedBody, "oversized body", 2),
    (Fault::TooManySizes, "more sizes than there may be", 2),
    (Fault::Hangup, "SIGHUP", 1),
    (Fault::DeviceKilled, "device's process killed", 3),
];

/// What was played.
#[derive(Default)]
pub struct Played {
    pub counts: BTreeMap<&'static str, u64>,
    /// How often the device's process was killed.
    pub kills: u64,
    /// Each with its time, for whoever looks for what led to something.
    pub log: Vec<String>,
}

/// What faults work with.
struct Stage<'a> {
    show: &'a Show,
    /// A session that nobody watches, whose pictures come from outside.
    ghost: Session,
    /// What goes on by itself while the next fault is drawn.
    held: JoinSet<anyhow::Result<()>>,
}

/// Large bodies on every worker, for the memory that an allocator keeps once it had it.
pub async fn rehearse(show: &Show) -> anyhow::Result<()> {
    // A session takes one at a time.
    let ghosts = try_join_all((0..8).map(|_| show.sessions.open_empty(show))).await?;
    let mut chance = show.chance(2);
    for _ in 0..4 {
        let bodies = ghosts.iter().map(|ghost| {
            let mut own = StdRng::seed_from_u64(chance.random());
            async move { strangers::oversized_body(show, ghost, &mut own).await }
        });
        try_join_all(bodies).await?;
    }
    for ghost in &ghosts {
        show.sessions.end(show, ghost).await?;
    }
    Ok(())
}

/// One after the other until `end`.
pub async fn play(show: &Show, end: Instant) -> Played {
    let mut played = Played::default();
    let ghost = match show.sessions.open_empty(show).await {
        Ok(ghost) => ghost,
        Err(error) => {
            show.ledger.complain(format!("{error:#}"));
            return played;
        }
    };
    let mut stage = Stage {
        show,
        ghost,
        held: JoinSet::new(),
    };
    let mut chance = show.chance(0);
    let start = Instant::now();
    let mut killed = None;
    sleep(CALM).await;
    while Instant::now() < end {
        let (fault, name) = draw(&mut chance);
        let at = start.elapsed();
        if fault == Fault::DeviceKilled {
            let lately = killed.is_some_and(|at: Instant| at.elapsed() < BETWEEN_KILLS);
            let looked_at = (NO_KILL_FROM..NO_KILL_UNTIL).contains(&at)
                || Instant::now() + NO_KILL_BEFORE_THE_END > end;
            let painted = show
                .sessions
                .all()
                .iter()
                .any(|one| one.kind == Kind::Painted);
            if lately || looked_at || !painted {
                continue;
            }
            killed = Some(Instant::now());
            played.kills += 1;
        }
        let line = format!("{:8.2} s  {name}", at.as_secs_f64());
        if show.verbose {
            println!("{line}");
        }
        played.log.push(line);
        *played.counts.entry(name).or_default() += 1;
        match timeout(PATIENCE, stage.act(fault, &mut chance, played.kills)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => show
                .ledger
                .complain(format!("{name}, {:.2} s in: {error:#}", at.as_secs_f64())),
            Err(_) => show.ledger.complain(format!(
                "{name}, {:.2} s in: not over in {PATIENCE:?}",
                at.as_secs_f64()
            )),
        }
        while let Some(done) = stage.held.try_join_next() {
            settle(show, done);
        }
        sleep(Duration::from_millis(chance.random_range(PAUSE))).await;
    }
    while let Ok(Some(done)) = timeout(PATIENCE, stage.held.join_next()).await {
        settle(show, done);
    }
    if let Err(error) = show.sessions.end(show, &stage.ghost).await {
        show.ledger.complain(format!("{error:#}"));
    }
    played
}

fn settle(show: &Show, done: Result<anyhow::Result<()>, tokio::task::JoinError>) {
    match done {
        Ok(Ok(())) => {}
        Ok(Err(error)) => show.ledger.complain(format!("{error:#}")),
        Err(error) => show.ledger.complain(format!("a fault failed: {error}")),
    }
}

fn draw(chance: &mut StdRng) -> (Fault, &'static str) {
    let all: u32 = FAULTS.iter().map(|(_, _, weight)| weight).sum();
    let mut left = chance.random_range(0..all);
    for (fault, name, weight) in FAULTS {
        if left < weight {
            return (fault, name);
        }
        left -= weight;
    }
    unreachable!("the weights come to {all}")
}

impl Stage<'_> {
    async fn act(&mut self, fault: Fault, chance: &mut StdRng, kills: u64) -> anyhow::Result<()> {
        let show = self.show;
        match fault {
            Fault::ParameterStorm => steering::storm(show, chance).await,
            Fault::SessionRenewed => steering::renew(show, chance).await,
            Fault::RowSwitched => steering::switch(show, chance).await,
            Fault::ProgramCut => steering::cut(show, chance).await,
            Fault::Garbage => {
                let bytes = rubble::garbage(chance);
                self.held.spawn(rubble::shout(show.clone(), bytes));
                Ok(())
            }
            Fault::HugeHead => {
                let bytes = rubble::huge_head(show, chance);
                self.held.spawn(rubble::shout(show.clone(), bytes));
                Ok(())
            }
            Fault::HalfRequest => {
                let (bytes, hold) = silence::half_request(show, chance);
                self.held.spawn(silence::hold(show.clone(), bytes, hold));
                Ok(())
            }
            Fault::HalfOpen => {
                let hold = silence::moment(chance);
                self.held.spawn(silence::half_open(show.clone(), hold));
                Ok(())
            }
            Fault::DeafViewer => {
                let hold = silence::moment(chance);
                let session = show.sessions.draw(chance, |_| true);
                if let Some(session) = session {
                    let path = session.path("/stream.mjpeg");
                    self.held.spawn(silence::deaf(show.clone(), path, hold));
                }
                Ok(())
            }
            Fault::JunkSocket => sockets::junk(show, chance).await,
            Fault::OversizedFrame => sockets::oversized(show, chance).await,
            Fault::WrongToken => strangers::wrong_token(show, &self.ghost).await,
            Fault::NothingThere => strangers::nothing_there(show, chance).await,
            Fault::OversizedBody => strangers::oversized_body(show, &self.ghost, chance).await,
            Fault::TooManySizes => strangers::too_many_sizes(show, chance).await,
            Fault::Hangup => device::hangup(show),
            Fault::DeviceKilled => device::kill(show, kills).await,
        }
    }
}
