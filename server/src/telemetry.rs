//! What the server says of itself: log lines on standard error, and in a file that is cut by size.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

use clap::{Args, ValueEnum};
use file_rotate::compression::Compression;
use file_rotate::suffix::AppendCount;
use file_rotate::{ContentLimit, FileRotate};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

use crate::lock::lock;

/// What is written down, and where.
#[derive(Args, Clone, Debug)]
pub struct LogConfig {
    /// Log level, or a list like `info,limn_server::session=debug`
    #[arg(
        long,
        env = "LIMN_LOG",
        value_name = "FILTER",
        default_value = "info,actix_server=warn",
        global = true
    )]
    pub log: String,
    /// How log lines are written
    #[arg(long, env = "LIMN_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// Write the log into this file as well
    #[arg(long, env = "LIMN_LOG_FILE", value_name = "FILE")]
    pub log_file: Option<PathBuf>,
    /// Begin a new log file when one has so many bytes
    #[arg(
        long,
        env = "LIMN_LOG_FILE_BYTES",
        value_name = "BYTES",
        default_value_t = 5_000_000
    )]
    pub log_file_bytes: usize,
    /// Keep so many log files, the newest
    #[arg(long, env = "LIMN_LOG_FILES", value_name = "N", default_value_t = 5, value_parser = files)]
    pub log_files: usize,
    /// Write down every Nth frame of each session with the times of its stages; 0 for none
    #[arg(long, env = "LIMN_LOG_FRAMES", value_name = "N", default_value_t = 0)]
    pub log_frames: u64,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

fn files(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| (1..=1000).contains(count));
    count.ok_or_else(|| format!("`{text}` is not a number of files from 1 to 1000"))
}

type Filter = reload::Handle<EnvFilter, Registry>;

/// The filter in force, to be changed while the server runs.
static FILTER: OnceLock<Filter> = OnceLock::new();

/// Starts the log.
pub fn start(config: &LogConfig) -> Result<(), String> {
    let (filter, handle) = reload::Layer::new(filter(&config.log)?);
    let file = config
        .log_file
        .as_ref()
        .map(|path| LogFile::open(path, config));
    let file = file.transpose()?;
    let lines = fmt::layer().with_target(false);
    let file_lines = fmt::layer().with_target(false).with_ansi(false);
    let (lines, file_lines) = match config.log_format {
        LogFormat::Text => (
            lines
                .with_ansi(std::io::stderr().is_terminal())
                .with_writer(std::io::stderr)
                .boxed(),
            file.map(|file| file_lines.with_writer(file).boxed()),
        ),
        LogFormat::Json => (
            lines.json().with_writer(std::io::stderr).boxed(),
            file.map(|file| file_lines.json().with_writer(file).boxed()),
        ),
    };
    let log = tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .with(file_lines);
    // A second start in one process (tests) keeps the first log.
    if log.try_init().is_ok() {
        let _ = FILTER.set(handle);
    }
    Ok(())
}

/// Changes the level of the log that runs.
pub fn change(level: &str) -> Result<(), String> {
    let filter = filter(level)?;
    match FILTER.get() {
        Some(handle) => handle.reload(filter).map_err(|error| error.to_string()),
        None => Ok(()),
    }
}

fn filter(text: &str) -> Result<EnvFilter, String> {
    EnvFilter::try_new(text).map_err(|error| format!("`{text}` is not a log filter: {error}"))
}

/// The newest of `--log-files`; each line whole.
struct LogFile(Mutex<FileRotate<AppendCount>>);

impl LogFile {
    fn open(path: &std::path::Path, config: &LogConfig) -> Result<Self, String> {
        // What rotates later would end the program where it cannot be written to now.
        std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .map_err(|error| format!("cannot write the log: {error}: {}", path.display()))?;
        // The one that is written to is none of those that are kept beside it.
        let beside = AppendCount::new(config.log_files - 1);
        let limit = ContentLimit::BytesSurpassed(config.log_file_bytes);
        let file = FileRotate::new(path, beside, limit, Compression::None, None);
        Ok(Self(Mutex::new(file)))
    }
}

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(&self.0)
    }
}

struct Line<'a>(&'a Mutex<FileRotate<AppendCount>>);

impl Write for Line<'_> {
    /// A full disk loses lines and nothing else.
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let _ = lock(self.0).write_all(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let _ = lock(self.0).flush();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_files_stay() {
        let folder = std::env::temp_dir().join(format!("limn-log-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let config = LogConfig {
            log: String::new(),
            log_format: LogFormat::Text,
            log_file: None,
            log_file_bytes: 100,
            log_files: 3,
            log_frames: 0,
        };
        let file = LogFile::open(&folder.join("limn.log"), &config).unwrap();
        for number in 0..100 {
            writeln!(file.make_writer(), "line {number} of many").unwrap();
        }
        let files: Vec<_> = std::fs::read_dir(&folder).unwrap().collect();
        assert_eq!(files.len(), 3, "{files:?}");
        let newest = std::fs::read_to_string(folder.join("limn.log")).unwrap();
        let before = std::fs::read_to_string(folder.join("limn.log.1")).unwrap();
        assert!(format!("{before}{newest}").contains("line 99 of many"));
        assert!(before.len() < 200);
        std::fs::remove_dir_all(folder).unwrap();
        assert!(LogFile::open("/nonexistent/log".as_ref(), &config).is_err());
    }
}
