//! Any number of viewers on one thread: fast ones that take what comes, and slow ones that read 200 kB a second through
//! a small receive buffer.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::LocalSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::marker::{Marker, now};
use crate::server::{Door, Server};
use crate::skim::Skim;
use limn_tests::process::Process;
use limn_tests::table::quantile;

const READ_BYTES: usize = 64 << 10;

/// What a slow viewer's kernel may hold for it, and what it reads how often.
const SLOW_BUFFER_BYTES: u32 = 16 << 10;
const SLOW_READ_BYTES: usize = 8 << 10;
const SLOW_PAUSE: Duration = Duration::from_millis(40);

/// How long the first picture may take to reach everybody.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many there are.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    pub fast: usize,
    pub slow: usize,
}

/// What one kind of viewers saw.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Milliseconds from the camera's sending to the last byte; sorted.
    delays: Vec<f64>,
    /// Pictures a second, of one viewer.
    pub fps: f64,
}

impl Seen {
    /// Milliseconds that `share` of the pictures did not exceed.
    pub fn delay(&self, share: f64) -> f64 {
        quantile(&self.delays, share)
    }
}

/// What was measured while they watched.
#[derive(Clone, Debug)]
pub struct Watched {
    pub fast: Seen,
    pub slow: Seen,
    /// The server's CPU, in percent of one core.
    pub cpu: f64,
    /// The bench's own, camera and viewers together.
    pub own_cpu: f64,
    /// The server's resident memory.
    pub resident_bytes: u64,
}

#[derive(Default)]
struct Window {
    /// Pictures count that end between these two times; 0 is not yet.
    from: AtomicU64,
    until: AtomicU64,
    /// How many viewers have had one.
    begun: AtomicUsize,
}

impl Window {
    fn is_open(&self, at: u64) -> bool {
        let (from, until) = (
            self.from.load(Ordering::Relaxed),
            self.until.load(Ordering::Relaxed),
        );
        from != 0 && at >= from && (until == 0 || at < until)
    }
}

/// Lets `crowd` watch `server` and measures for `length`, after `warm`.
pub fn watch(
    server: &Server,
    crowd: Crowd,
    warm: Duration,
    length: Duration,
) -> anyhow::Result<Watched> {
    let window = Arc::new(Window::default());
    let (stop, stopped) = oneshot::channel();
    let thread = {
        let (door, window) = (server.door.clone(), Arc::clone(&window));
        std::thread::spawn(move || view(&door, crowd, &window, stopped))
    };
    let start = Instant::now();
    while window.begun.load(Ordering::Relaxed) < crowd.fast + crowd.slow {
        if thread.is_finished() {
            break;
        }
        if start.elapsed() > PATIENCE {
            bail!(
                "not every viewer of {} had a picture in {PATIENCE:?}",
                server.name
            );
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(warm);
    let cpu = || anyhow::Ok((server.process.cpu_seconds()?, Process::own().cpu_seconds()?));
    let (from, before) = (now(), cpu()?);
    window.from.store(from, Ordering::Relaxed);
    std::thread::sleep(length);
    let (until, after) = (now(), cpu()?);
    window.until.store(until, Ordering::Relaxed);
    let resident_bytes = server.process.resident_bytes()?;
    drop(stop);
    let tallies = finish(thread).with_context(|| format!("viewers of {}", server.name))?;
    let seconds = (until - from) as f64 / 1e9;
    let seen = |of: &[Vec<f64>]| {
        let mut delays = of.concat();
        delays.sort_by(f64::total_cmp);
        let fps = delays.len() as f64 / seconds / of.len().max(1) as f64;
        Seen { delays, fps }
    };
    let (fast, slow) = tallies.split_at(crowd.fast);
    Ok(Watched {
        fast: seen(fast),
        slow: seen(slow),
        cpu: (after.0 - before.0) / seconds * 100.0,
        own_cpu: (after.1 - before.1) / seconds * 100.0,
        resident_bytes,
    })
}

fn finish(thread: JoinHandle<anyhow::Result<Vec<Vec<f64>>>>) -> anyhow::Result<Vec<Vec<f64>>> {
    match thread.join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Until `stopped`: the delays that each viewer saw, the fast ones first.
fn view(
    door: &Door,
    crowd: Crowd,
    window: &Arc<Window>,
    stopped: oneshot::Receiver<()>,
) -> anyhow::Result<Vec<Vec<f64>>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // One buffer for all: they take turns, and it stays in the cache.
    let buffer = Rc::new(RefCell::new(vec![0; READ_BYTES]));
    LocalSet::new().block_on(&runtime, async {
        let mut viewers = Vec::new();
        for number in 0..crowd.fast + crowd.slow {
            let slow = number >= crowd.fast;
            let viewer = Viewer {
                stream: enter(door, slow).await?,
                skim: Skim::default(),
                window: Arc::clone(window),
                begun: false,
                delays: Rc::default(),
            };
            let delays = Rc::clone(&viewer.delays);
            let task = tokio::task::spawn_local(viewer.read(slow, Rc::clone(&buffer)));
            viewers.push((task, delays));
        }
        // Whether it is asked to stop or the other end is dropped comes to the same.
        let _ = stopped.await;
        let mut tallies = Vec::new();
        for (task, delays) in viewers {
            if task.is_finished() {
                task.await??;
            } else {
                task.abort();
            }
            tallies.push(delays.take());
        }
        Ok(tallies)
    })
}

async fn enter(door: &Door, slow: bool) -> anyhow::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if slow {
        socket.set_recv_buffer_size(SLOW_BUFFER_BYTES)?;
    }
    let mut stream = socket.connect(door.address).await?;
    stream
        .write_all(door.request(&door.stream).as_bytes())
        .await?;
    Ok(stream)
}

struct Viewer {
    stream: TcpStream,
    skim: Skim,
    window: Arc<Window>,
    begun: bool,
    delays: Rc<RefCell<Vec<f64>>>,
}

impl Viewer {
    /// Reads until it is aborted; ends only with an error.
    async fn read(mut self, slow: bool, buffer: Rc<RefCell<Vec<u8>>>) -> anyhow::Result<()> {
        let mut turn = interval(SLOW_PAUSE);
        turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let size = if slow { SLOW_READ_BYTES } else { READ_BYTES };
        loop {
            if slow {
                turn.tick().await;
            }
            self.stream.readable().await?;
            let mut buffer = buffer.borrow_mut();
            match self.stream.try_read(&mut buffer[..size]) {
                Ok(count) => {
                    ensure!(count > 0, "the server ended the stream");
                    self.take(&buffer[..count])?;
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error).context("a stream broke"),
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let mut outcome = Ok(());
        self.skim.pass(bytes, |prefix| {
            let now = now();
            if !std::mem::replace(&mut self.begun, true) {
                self.window.begun.fetch_add(1, Ordering::Relaxed);
            }
            match Marker::read(prefix) {
                Some(marker) if self.window.is_open(now) => {
                    let delay = now.saturating_sub(marker.sent) as f64 / 1e6;
                    self.delays.borrow_mut().push(delay);
                }
                Some(_) => {}
                None => {
                    outcome = Err(anyhow::anyhow!(
                        "a picture did not leave as the bytes that came"
                    ))
                }
            }
        })?;
        outcome
    }
}
