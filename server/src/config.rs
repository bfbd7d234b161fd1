//! Flags, environment and TOML: one struct, declared once.
//!
//! A value is taken from the first of: the flag, its `LIMN_` variable, the nearest peer's variable, the TOML file, the
//! default. The last three reach clap as defaults, so `--help` shows what would be used.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Command, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::access::AccessConfig;
use crate::access::task::{KeyTask, UrlTask};
use crate::bench::BenchConfig;
use crate::encode::EncodeConfig;
use crate::fanout::config::FanoutConfig;
use crate::http::HttpConfig;
use crate::http::compat::gendj::GendjConfig;
use crate::inference::InferenceConfig;
use crate::ingest::IngestConfig;
use crate::ndi::NdiConfig;
use crate::osc::OscConfig;
use crate::program::config::ProgramConfig;
use crate::session::config::SessionConfig;
use crate::telemetry::LogConfig;

/// Live video, repainted by a diffusion pipeline: camera in, MJPEG out.
#[derive(Parser, Clone, Debug)]
#[command(name = "server", version, max_term_width = 110)]
pub struct Config {
    /// Print the pipelines and their rows, and stop
    #[arg(long)]
    pub list_pipelines: bool,
    /// Read values from a TOML file; its keys are the long flags
    #[arg(long, env = "LIMN_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What is written down, and where.
    #[command(flatten, next_help_heading = "Log")]
    pub log: LogConfig,
    /// Who may come in, and where.
    #[command(flatten, next_help_heading = "Web server")]
    pub http: HttpConfig,
    /// Who may stay, and how long.
    #[command(flatten, next_help_heading = "Sessions")]
    pub session: SessionConfig,
    /// What is done to pictures that come in.
    #[command(flatten, next_help_heading = "Pictures in")]
    pub ingest: IngestConfig,
    /// What paints.
    #[command(flatten, next_help_heading = "Painting")]
    pub inference: InferenceConfig,
    /// What is done to pictures that leave.
    #[command(flatten, next_help_heading = "Pictures out")]
    pub encode: EncodeConfig,
    /// What viewers may have.
    #[command(flatten, next_help_heading = "Pictures out")]
    pub fanout: FanoutConfig,
    /// What is on air.
    #[command(flatten, next_help_heading = "Program")]
    pub program: ProgramConfig,
    /// NDI, in and out.
    #[command(flatten, next_help_heading = "NDI")]
    pub ndi: NdiConfig,
    /// Control by OSC.
    #[command(flatten, next_help_heading = "Other control")]
    pub osc: OscConfig,
    /// The wire of GenDJ.
    #[command(flatten, next_help_heading = "Other control")]
    pub gendj: GendjConfig,
    /// Who may do what.
    #[command(flatten, next_help_heading = "Access")]
    pub access: AccessConfig,
    /// Something else than serving.
    #[command(subcommand)]
    pub command: Option<Task>,
}

/// Something else than serving.
#[derive(Subcommand, Clone, Debug)]
pub enum Task {
    /// Measure a pipeline: frames per second and p50/p99 of each stage
    Bench(BenchConfig),
    /// The device's process; a server starts it
    #[command(hide = true)]
    Worker,
    /// Look at what a server needs on this machine, and say what to do where something is missing
    Doctor,
    /// Make keys
    #[command(subcommand)]
    Key(KeyTask),
    /// Make addresses that need no key
    #[command(subcommand)]
    Url(UrlTask),
}

/// The variables of the nearest peer (Real-Time-Latent-Consistency-Model, `server/config.py`) and the flags they mean.
const PEER_VARIABLES: &[(&str, &str)] = &[
    ("HOST", "host"),
    ("PORT", "port"),
    ("MAX_QUEUE_SIZE", "max_sessions"),
    ("TIMEOUT", "timeout"),
    ("PIPELINE", "pipeline"),
    ("SSL_CERTFILE", "ssl_certfile"),
    ("SSL_KEYFILE", "ssl_keyfile"),
    ("USE_TAESD", "no_taesd"),
];

impl Config {
    /// Reads the command line (program name first), the environment and the TOML file that they name.
    ///
    /// # Errors
    /// clap's own, `--help` and `--version` among them: `error.exit()` prints them as people expect.
    pub fn read(args: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Self, clap::Error> {
        let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
        let mut command = Self::command();
        if let Some(path) = config_path(&args) {
            for (id, value) in toml_values(&command, &path)? {
                command = with_default(command, &id, value);
            }
        }
        for (variable, id) in PEER_VARIABLES {
            let Ok(value) = std::env::var(variable) else {
                continue;
            };
            match *variable {
                // Some shells put the machine's name there, which nobody meant for us.
                "HOST" if value.parse::<IpAddr>().is_err() => {}
                // Its switch is on by default and names what ours turns off.
                "USE_TAESD" => {
                    let off = ["false", "0", "no"].contains(&value.to_lowercase().as_str());
                    command = with_default(command, id, off.to_string());
                }
                _ => command = with_default(command, id, value),
            }
        }
        Self::from_arg_matches(&command.try_get_matches_from(args)?)
    }

    /// What is written down. The device's process leaves the file to the server, which knows what becomes of it.
    pub fn log(&self) -> LogConfig {
        let mut log = self.log.clone();
        if matches!(self.command, Some(Task::Worker)) {
            log.log_file = None;
        }
        log
    }

    /// The defaults, as if no flag, variable or file were there; for programs that embed the server.
    pub fn defaults() -> Self {
        Self::parse_from(["server"])
    }
}

fn with_default(command: Command, id: &str, value: String) -> Command {
    command.mut_arg(id, |arg| arg.default_value(value))
}

/// The file must be known before the rest is read, because it supplies the rest's defaults.
fn config_path(args: &[OsString]) -> Option<PathBuf> {
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        if arg == "--config" {
            return rest.next().map(PathBuf::from);
        }
        if let Some(path) = arg.to_str().and_then(|arg| arg.strip_prefix("--config=")) {
            return Some(PathBuf::from(path));
        }
    }
    std::env::var_os("LIMN_CONFIG").map(PathBuf::from)
}

fn toml_values(command: &Command, path: &Path) -> Result<Vec<(String, String)>, clap::Error> {
    let refuse = |message: String| command.clone().error(ErrorKind::InvalidValue, message);
    let text = std::fs::read_to_string(path).map_err(|error| {
        refuse(format!(
            "cannot read the configuration: {error}: {}",
            path.display()
        ))
    })?;
    let table: toml::Table = text
        .parse()
        .map_err(|error| refuse(format!("{error}\nin {}", path.display())))?;
    table
        .into_iter()
        .map(|(key, value)| {
            let long = key.replace('_', "-");
            let arg = command
                .get_arguments()
                .find(|arg| {
                    arg.get_long() == Some(&long)
                        && !["config", "list-pipelines"].contains(&long.as_str())
                })
                .ok_or_else(|| refuse(format!("unknown key `{key}` in {}", path.display())))?;
            let text = match value {
                toml::Value::String(text) => text,
                toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_) => {
                    value.to_string()
                }
                other => {
                    return Err(refuse(format!(
                        "`{key}` is a {}, expected a single value, in {}",
                        other.type_str(),
                        path.display()
                    )));
                }
            };
            Ok((arg.get_id().to_string(), text))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declaration_is_sound() {
        Config::command().debug_assert();
    }

    #[test]
    fn a_flag_beats_the_file_and_the_file_beats_the_default() {
        let path = std::env::temp_dir().join(format!("limn-config-{}.toml", std::process::id()));
        std::fs::write(
            &path,
            "port = 9000\nmax-sessions = 7\nmirror = true\nfit = \"letterbox\"\n",
        )
        .unwrap();
        let file = path.to_str().unwrap();
        let config = Config::read(["server", "--config", file, "--port", "9001"]).unwrap();
        assert_eq!(
            (
                config.http.port,
                config.session.max_sessions,
                config.ingest.mirror
            ),
            (9001, 7, true)
        );
        assert_eq!(config.ingest.fit, crate::ingest::Fit::Letterbox);
        std::fs::write(&path, "colour = 1\n").unwrap();
        let error = Config::read(["server", &format!("--config={file}")])
            .unwrap_err()
            .to_string();
        assert!(error.contains("unknown key `colour`"), "{error}");
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn the_peers_flag_is_understood() {
        assert_eq!(
            Config::read(["server", "--max-queue-size", "2"])
                .unwrap()
                .session
                .max_sessions,
            2
        );
    }
}
