//! Open Sound Control (<https://opensoundcontrol.stanford.edu/spec-1_0.html>) over UDP: what lighting desks, Max, TouchDesigner
//! and telephones speak.
//!
//! | address | arguments | what |
//! |---|---|---|
//! | `/limn/PARAM` | value | a parameter of whatever is on air |
//! | `/limn/LABEL/PARAM` | value | the same of the session of that label, or id; the oldest if there are several |
//! | `/limn/preset`, `/limn/LABEL/preset` | name | all values of a preset that ships with the page |
//! | `/limn/program` | label or id, seconds | cuts, or fades in so many seconds; without arguments the server chooses |
//! | `/limn/fps` | | answers `/limn/fps LABEL PAINTED` for each session |
//!
//! What is refused is answered by `/limn/error` with a sentence, and changes nothing. A packet has at most 64 answers.

pub mod address;
pub mod answers;
pub mod packet;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use limn_pipeline::Unknown;
use rosc::{OscMessage, OscPacket, OscType};
use serde_json::{Map, Value};
use tokio::net::UdpSocket;

use crate::program::{LONGEST_FADE, Program};
use crate::session::Session;
use crate::session::store::Store;
pub use address::number;
use address::{Address, value};
use answers::Answers;

/// Control by OSC.
#[derive(Args, Clone, Debug)]
pub struct OscConfig {
    /// Listen for OSC on this UDP port; GET /api/osc lists the addresses
    #[arg(long, env = "LIMN_OSC", value_name = "PORT")]
    pub osc: Option<u16>,
}

/// No packet that UDP carries is larger.
const LARGEST: usize = 65_536;

/// How long it is before the next attempt when the socket could not be read: an error that lasts must not take a core.
const PAUSE: Duration = Duration::from_millis(100);

/// What messages act on.
struct Player {
    store: Arc<Store>,
    program: Arc<Program>,
    /// Read whenever one is asked for: their file may have been changed.
    presets: Box<dyn Fn() -> Presets + Send>,
}

/// Names and values.
pub type Presets = Vec<(String, Map<String, Value>)>;

/// Listens at `at` for as long as the server runs; answers where.
///
/// # Errors
/// If the port is taken.
pub fn listen(
    at: (IpAddr, u16),
    store: &Arc<Store>,
    program: &Arc<Program>,
    presets: impl Fn() -> Presets + Send + 'static,
) -> io::Result<SocketAddr> {
    let player = Player {
        store: Arc::clone(store),
        program: Arc::clone(program),
        presets: Box::new(presets),
    };
    hear(at, move |message, answers| player.act(message, answers))
}

/// Hands each message that comes in at `at` to `act`, which may answer, or say what it refuses. Answers where that is.
///
/// # Errors
/// If the port is taken.
pub fn hear(
    at: (IpAddr, u16),
    act: impl Fn(&OscMessage, &mut Answers) -> Result<(), String> + Send + 'static,
) -> io::Result<SocketAddr> {
    let socket = std::net::UdpSocket::bind(at)?;
    socket.set_nonblocking(true)?;
    let address = socket.local_addr()?;
    tokio::spawn(answer(UdpSocket::from_std(socket)?, act));
    Ok(address)
}

async fn answer(socket: UdpSocket, act: impl Fn(&OscMessage, &mut Answers) -> Result<(), String>) {
    let mut buffer = vec![0; LARGEST];
    loop {
        // Windows tells a sender that nobody took its last answer; that is no reason to stop listening.
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let mut answers = Answers::default();
        match packet::messages(&buffer[..length]) {
            Ok(messages) => {
                for message in &messages {
                    if let Err(why) = act(message, &mut answers) {
                        tracing::debug!("osc {}: {why}", message.addr);
                        answers.push(refusal(&format!("{}: {why}", message.addr)));
                    }
                }
            }
            Err(why) => answers.push(refusal(&why)),
        }
        for answer in answers.into_messages() {
            if let Ok(bytes) = rosc::encoder::encode(&OscPacket::Message(answer)) {
                // Whoever has gone need not be told.
                let _ = socket.send_to(&bytes, from).await;
            }
        }
    }
}

impl Player {
    fn act(&self, message: &OscMessage, answers: &mut Answers) -> Result<(), String> {
        match Address::read(&message.addr).ok_or("there is no such address")? {
            // Looking at all of them takes its time.
            Address::Fps if answers.room() == 0 => Ok(()),
            Address::Fps => {
                let all = self.store.all();
                let shown = all.iter().take(answers.room());
                shown.for_each(|session| answers.push(fps(session)));
                Ok(())
            }
            Address::Program => self.cut(&message.args),
            Address::Param { session, name } => {
                let session = match session {
                    Some(name) => self.named(name)?,
                    None => self.on_air().ok_or("nothing is on air")?,
                };
                let argument = message.args.first().ok_or("the value is missing")?;
                let choice = session.choice();
                let schema = &choice.door.schema()["properties"][name];
                let value =
                    value(argument, schema).ok_or("the value is of no kind that is taken")?;
                // No row has a parameter of that name.
                let patched = if name == "preset" {
                    session.patch(&self.preset(&value)?, Unknown::Ignore)
                } else {
                    let patch = Map::from_iter([(name.to_owned(), value)]);
                    session.patch(&patch, Unknown::Refuse)
                };
                patched.map(drop).map_err(|refusal| refusal.message)
            }
        }
    }

    fn cut(&self, arguments: &[OscType]) -> Result<(), String> {
        let name = match arguments.first() {
            None => None,
            Some(OscType::String(name)) => Some(name),
            Some(_) => return Err("who is to be on air is a label or an id".to_owned()),
        };
        let seconds = match arguments.get(1) {
            None => 0.0,
            Some(seconds) => {
                number(seconds).ok_or("how long the fade takes is a number of seconds")?
            }
        };
        let longest = LONGEST_FADE.as_secs();
        if !(0.0..=longest as f64).contains(&seconds) {
            return Err(format!("a fade takes 0 to {longest} s, and not {seconds}"));
        }
        let session = name.map(|name| self.named(name)).transpose()?;
        let fade = Duration::from_secs_f64(seconds);
        self.program.pin(session.as_deref(), fade);
        Ok(())
    }

    /// The session of that label or id, the oldest if there are several: whoever comes later may call a session as one is
    /// called that a desk steers.
    fn named(&self, name: &str) -> Result<Arc<Session>, String> {
        let called = |session: &Arc<Session>| {
            session.key == name || session.label().as_deref() == Some(name)
        };
        let mut all = self.store.all().into_iter();
        all.find(called)
            .ok_or_else(|| format!("no session is called `{name}`"))
    }

    fn preset(&self, name: &Value) -> Result<Map<String, Value>, String> {
        let presets = (self.presets)();
        let known: Vec<_> = presets.iter().map(|(name, _)| name.as_str()).collect();
        let known = known.join(", ");
        let found = presets.into_iter().find(|(preset, _)| name == preset);
        found
            .map(|(_, values)| values)
            .ok_or_else(|| format!("no preset is called {name}; there are: {known}"))
    }

    fn on_air(&self) -> Option<Arc<Session>> {
        let key = self.program.on_air().borrow().clone()?;
        self.store.find(&key)
    }
}

fn fps(session: &Session) -> OscMessage {
    let painted = session.stats().report(session.viewers()).fps_painted;
    let label = session.label().unwrap_or_else(|| session.key.clone());
    OscMessage {
        addr: "/limn/fps".to_owned(),
        args: vec![OscType::String(label), OscType::Float(painted as f32)],
    }
}

fn refusal(why: &str) -> OscMessage {
    OscMessage {
        addr: "/limn/error".to_owned(),
        args: vec![OscType::String(why.to_owned())],
    }
}
