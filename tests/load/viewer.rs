//! One viewer: it draws a session, reads its stream as it is used to, leaves or is left, and comes again.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use rand::RngExt;
use rand::rngs::StdRng;
use socket2::SockRef;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::freshness::{self, Reading};
use crate::mark;
use crate::parts::{Part, Parts};
use crate::seats::Seat;
use crate::sessions::{Kind, Session};
use crate::show::Show;

/// What the kernel may hold received for a slow viewer, and for all others: how much of what was sent nobody has read
/// must be known.
pub const SLOW_BUFFER_BYTES: u32 = 16 << 10;
const BUFFER_BYTES: u32 = 64 << 10;

/// Something comes at least once a second, and this machine does other things as well.
const SILENCE: Duration = Duration::from_secs(20);

/// For whoever stays until the stream ends.
const FOR_EVER: Duration = Duration::from_secs(24 * 3600);

/// How a viewer watches.
#[derive(Clone, Debug)]
pub struct Habits {
    pub name: &'static str,
    /// Bytes a second that it reads; all that comes if there is none.
    pub pace: Option<f64>,
    /// How many seconds it stays, from and to; until the stream ends if there are none.
    pub stay: Option<(f64, f64)>,
    /// What it watches; whatever runs if there is none.
    pub of: Option<Kind>,
    /// It leaves in whatever way occurs to it, and watches in whatever size, and the program as well.
    pub fickle: bool,
    /// It decodes every picture and looks whose it is.
    pub checks: bool,
}

impl Habits {
    /// It takes what comes.
    pub fn reader() -> Self {
        Self {
            name: "plain",
            pace: None,
            stay: None,
            of: None,
            fickle: false,
            checks: false,
        }
    }
}

/// How a visit was over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The stream ended behind a whole part; what its placard said, if one came last.
    Ended(Option<String>),
    /// The viewer left.
    Left,
    /// The session was gone before it came.
    Late,
}

/// One stream from beginning to end.
pub struct Visit<'a> {
    show: &'a Show,
    habits: &'a Habits,
    session: Session,
    /// It watches the program, whoever that is.
    program: bool,
    query: &'static str,
    clock: Option<u32>,
    last: Option<String>,
}

/// Comes again and again until the show is over.
pub async fn live(show: Show, habits: Habits, mut chance: StdRng) {
    while !show.is_over() {
        let wanted = |kind| habits.of.is_none_or(|of| of == kind);
        let Some(session) = show.sessions.draw(&mut chance, wanted) else {
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        let mut visit = Visit::of(&show, &habits, session);
        if habits.fickle {
            visit.choose(&mut chance);
        }
        let mark = visit.session.mark;
        match visit.make(&mut chance).await {
            Ok(End::Ended(Some(_))) => show.ledger.one("streams that ended with a last word"),
            Ok(End::Ended(None)) => show.ledger.one("streams that ended without one"),
            Ok(End::Left) => show.ledger.one("streams that were left"),
            Ok(End::Late) => show.ledger.one("streams that came too late"),
            Err(error) => {
                let name = habits.name;
                show.ledger
                    .complain(format!("a {name} viewer of mark {mark}: {error:#}"));
                sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

impl<'a> Visit<'a> {
    pub fn of(show: &'a Show, habits: &'a Habits, session: Session) -> Self {
        Self {
            show,
            habits,
            session,
            program: false,
            query: "",
            clock: None,
            last: None,
        }
    }

    /// Something else than the plain stream.
    fn choose(&mut self, chance: &mut StdRng) {
        self.program = chance.random_bool(0.1);
        let sizes = self.session.kind == Kind::Plain && !self.program;
        let all = ["", "", "?fps=5", "?times=1", "?width=160", "?quality=50"];
        let some = if sizes { &all[..] } else { &all[..4] };
        self.query = some[chance.random_range(0..some.len())];
    }

    /// Goes there, reads and leaves.
    pub async fn make(mut self, chance: &mut StdRng) -> anyhow::Result<End> {
        let show = self.show;
        let path = if self.program {
            "/stream.mjpeg".to_owned()
        } else {
            self.session.path("/stream.mjpeg")
        };
        let (stay, rude) = match self.habits.stay {
            Some((from, to)) if from < to => (
                Duration::from_secs_f64(chance.random_range(from..to)),
                chance.random_bool(0.5),
            ),
            Some((from, _)) => (Duration::from_secs_f64(from), false),
            None => (FOR_EVER, false),
        };
        let mut stream = enter(show, &format!("{path}{}", self.query), self.habits.pace).await?;
        show.ledger.one("streams");
        let taken = show.seats.sit(stream.local_addr()?.port());
        let mut parts = Parts::default();
        let end = Instant::now() + stay;
        let end = self.read(&mut stream, &mut parts, &taken.seat, end).await;
        let (count, bytes) = taken.seat.so_far();
        show.ledger.add("parts", count);
        show.ledger.add("bytes", bytes);
        if matches!(end, Ok(End::Left)) && rude {
            // Without waiting for what is unsent, closing is a reset.
            SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
        }
        end
    }

    async fn read(
        &mut self,
        stream: &mut TcpStream,
        parts: &mut Parts,
        seat: &Seat,
        end: Instant,
    ) -> anyhow::Result<End> {
        let size = match self.habits.pace {
            Some(pace) => (pace / 5.0).clamp(512.0, 8192.0) as usize,
            None => 32 << 10,
        };
        let mut buffer = vec![0; size];
        let mut reading = Reading::new(Instant::now().into());
        loop {
            // When it is over, nobody dawdles.
            if let Some(pace) = self.habits.pace
                && !self.show.is_over()
            {
                sleep(Duration::from_secs_f64(size as f64 / pace)).await;
            }
            tokio::select! {
                ready = timeout(SILENCE, stream.readable()) => {
                    ready.with_context(|| format!("nothing came for {SILENCE:?}"))??;
                }
                () = sleep_until(end) => return Ok(End::Left),
                // The program goes on when its sessions have ended.
                () = self.show.over(), if self.program => return Ok(End::Left),
            }
            let count = match stream.try_read(&mut buffer) {
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error).context("a stream was cut"),
            };
            if count == 0 {
                ensure!(
                    parts.is_whole(),
                    "a stream ended in the middle of a part, behind {} whole ones",
                    seat.so_far().0
                );
                return Ok(End::Ended(self.last.take()));
            }
            let now = Instant::now().into();
            reading.read(count, now);
            parts.pass(&buffer[..count], |part| {
                seat.read(part.bytes);
                self.see(&part, reading.part(part.bytes, now))
            })?;
            match parts.status() {
                None | Some(200) => {}
                Some(404) if !self.show.sessions.is_running(&self.session) => return Ok(End::Late),
                Some(status) => bail!("answered {status}: `{}`", parts.refusal()),
            }
        }
    }

    /// Looks at a part whose picture may have been `chosen` so long ago.
    fn see(&mut self, part: &Part<'_>, chosen: Duration) -> anyhow::Result<()> {
        self.last = part.placard().map(str::to_owned);
        if self.last.is_some() {
            return Ok(());
        }
        // Others may stand still for reasons of their own.
        let moves = matches!(self.session.kind, Kind::Plain | Kind::Large);
        if self.habits.pace.is_some() && moves {
            freshness::judge(part, chosen, &self.show.ledger)?;
        }
        if !self.habits.checks {
            return Ok(());
        }
        let seen = mark::read(part.jpeg)?;
        let mark = self.session.mark;
        ensure!(
            seen.session == mark,
            "it was shown mark {}, which is another session's",
            seen.session
        );
        // Whoever looks across a moment when 32 bits are over sees the clock go on as well.
        let back = self
            .clock
            .replace(seen.clock)
            .map_or(0, |last| last.wrapping_sub(seen.clock) as i32);
        ensure!(back <= 0, "its clock went back by {back} ms");
        self.show.ledger.one("pictures checked");
        Ok(())
    }
}

/// A connection that has asked for `path`.
pub async fn enter(show: &Show, path: &str, pace: Option<f64>) -> anyhow::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(match pace {
        Some(_) => SLOW_BUFFER_BYTES,
        None => BUFFER_BYTES,
    })?;
    let connected = timeout(SILENCE, socket.connect(show.address)).await;
    let mut stream = connected
        .context("nobody took the connection")?
        .context("the connection was refused")?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", show.address);
    stream.write_all(request.as_bytes()).await?;
    Ok(stream)
}
