//! A server that is being measured.

use std::net::SocketAddr;
use std::process::Child;

use crate::camera::Camera;
use limn_tests::process::Process;

/// Where viewers go, and how they ask.
#[derive(Clone, Debug)]
pub struct Door {
    pub address: SocketAddr,
    /// The stream's path.
    pub stream: String,
    /// The path of a single picture.
    pub snapshot: String,
    /// What viewers call themselves. uStreamer's stream dies of a viewer without a name; Limn's is asked without one.
    pub user_agent: Option<&'static str>,
}

impl Door {
    /// The whole request for `path`.
    pub fn request(&self, path: &str) -> String {
        let agent = self.user_agent;
        let agent = agent.map_or(String::new(), |name| format!("User-Agent: {name}\r\n"));
        format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\n{agent}\r\n",
            self.address
        )
    }
}

/// A process that ends when it is dropped, whatever fails after its start.
pub struct Program(pub Child);

impl Drop for Program {
    fn drop(&mut self) {
        // Whatever has ended by itself need not be ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A process with a camera before it; dropping it ends both.
pub struct Server {
    pub name: &'static str,
    pub door: Door,
    pub process: Process,
    /// Where the process has no camera of its own. Before the process, so that it ends first.
    _camera: Option<Camera>,
    _program: Program,
}

impl Server {
    pub fn new(name: &'static str, door: Door, program: Program, camera: Option<Camera>) -> Self {
        Self {
            name,
            door,
            process: Process(program.0.id()),
            _camera: camera,
            _program: program,
        }
    }
}
