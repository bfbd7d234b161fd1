//! The nearest peer: uStreamer, which reads video devices only, with `fakecam.c` for a camera.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;

use crate::Programs;
use crate::camera::FPS;
use crate::pictures::{HEIGHT, WIDTH};
use crate::server::{Door, Program, Server};
use crate::{first, limn};

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fanout/fakecam.c");

/// How long it may take to show its first picture.
const PATIENCE: Duration = Duration::from_secs(10);

/// A folder with what the servers are started from.
pub struct Bench {
    programs: Programs,
    folder: TempDir,
    /// uStreamer's version, where it is installed.
    version: Option<String>,
}

impl Bench {
    /// Looks what there is, and compiles the camera if it will be needed.
    pub fn prepare(programs: Programs) -> anyhow::Result<Self> {
        ensure!(
            programs.server.exists(),
            "no server at `{}`; build it with `cargo build --release --package limn-server`",
            programs.server.display()
        );
        let folder = tempfile::tempdir()?;
        let version = Command::new(&programs.peer).arg("--version").output().ok();
        let version =
            version.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        let bench = Self {
            programs,
            folder,
            version,
        };
        match &bench.version {
            None => println!(
                "`{}` is not installed: Limn alone.\n",
                bench.programs.peer.display()
            ),
            Some(version) => {
                bench.compile()?;
                println!("Beside uStreamer {version}.\n");
            }
        }
        Ok(bench)
    }

    /// Limn with a camera that plays `pictures`.
    pub fn limn(&self, pictures: &Arc<Vec<Vec<u8>>>) -> anyhow::Result<Server> {
        limn::start(&self.programs.server, Arc::clone(pictures))
    }

    /// Limn and, where it is installed, uStreamer.
    pub fn both(&self, pictures: &Arc<Vec<Vec<u8>>>) -> anyhow::Result<Vec<Server>> {
        let limn = self.limn(pictures)?;
        Ok(std::iter::once(limn).chain(self.peer(pictures)?).collect())
    }

    /// The same for uStreamer; `None` where it is not installed.
    pub fn peer(&self, pictures: &[Vec<u8>]) -> anyhow::Result<Option<Server>> {
        if self.version.is_none() {
            return Ok(None);
        }
        let frames = self.folder.path().join("frames");
        fs::write(&frames, framed(pictures)?)?;
        // It cannot be asked for a port that is free, so it is told one that was a moment ago.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let size = format!("{WIDTH}x{HEIGHT}");
        let device = self.folder.path().join("device");
        // It looks whether there is such a file before it opens it.
        fs::write(&device, "")?;
        let child = Command::new(&self.programs.peer)
            .arg("--device")
            .arg(&device)
            .args(["--resolution", &size, "--desired-fps", &FPS.to_string()])
            .args(["--format=MJPEG", "--encoder=HW", "--tcp-nodelay"])
            .args(["--host", "127.0.0.1", "--port", &address.port().to_string()])
            .env("LD_PRELOAD", self.library())
            .env("FAKECAM_PATH", &device)
            .env("FAKECAM_FRAMES", &frames)
            .env("FAKECAM_FPS", FPS.to_string())
            .env("FAKECAM_SIZE", size)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start the peer")?;
        let door = Door {
            address,
            stream: "/stream".to_owned(),
            snapshot: "/snapshot".to_owned(),
            user_agent: Some("fanout"),
        };
        let server = Server::new("uStreamer", door, Program(child), None);
        let start = Instant::now();
        // Before its camera has been opened it shows a picture of its own, which is smaller than any of ours.
        let least = pictures.iter().map(Vec::len).min().unwrap_or(0);
        while !first::snapshot(&server.door).is_ok_and(|(_, bytes)| bytes > least) {
            if start.elapsed() > PATIENCE {
                bail!("the peer showed no picture of its camera's in {PATIENCE:?}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(Some(server))
    }

    fn library(&self) -> PathBuf {
        self.folder.path().join("fakecam.so")
    }

    fn compile(&self) -> anyhow::Result<()> {
        let done = Command::new("cc")
            .args(["-shared", "-fPIC", "-O2", "-o"])
            .arg(self.library())
            .arg(Path::new(SOURCE))
            .args(["-ldl", "-lpthread"])
            .status()
            .context("cannot run `cc`, which the peer's camera is compiled by")?;
        ensure!(done.success(), "`cc` cannot compile `{SOURCE}`");
        Ok(())
    }
}

/// The file that `fakecam.c` reads.
fn framed(pictures: &[Vec<u8>]) -> anyhow::Result<Vec<u8>> {
    let mut file = Vec::new();
    for picture in pictures {
        file.extend(u32::try_from(picture.len())?.to_le_bytes());
        file.extend(picture);
    }
    Ok(file)
}
