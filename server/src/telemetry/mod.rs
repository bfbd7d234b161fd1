//! What the server says of itself: log lines on standard error, and in a file that is cut by size.

mod log_file;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use clap::{Args, ValueEnum};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

use self::log_file::LogFile;
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
        default_value_t = 5_000_000,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub log_file_bytes: u64,
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

/// The log that runs.
struct Log {
    /// To be changed while it does.
    filter: reload::Handle<EnvFilter, Registry>,
    format: LogFormat,
    file: Option<Shared>,
}

static LOG: OnceLock<Log> = OnceLock::new();

/// Starts the log.
pub fn start(config: &LogConfig) -> Result<(), String> {
    let (filter, handle) = reload::Layer::new(filter(&config.log)?);
    let file = config.log_file.as_ref().map(|path| {
        let file = LogFile::open(path, config.log_file_bytes, config.log_files);
        let file =
            file.map_err(|error| format!("cannot write the log: {error}: {}", path.display()))?;
        Ok::<_, String>(Shared(Arc::new(Mutex::new(file))))
    });
    let file = file.transpose()?;
    let lines = fmt::layer().with_target(false);
    let file_lines = fmt::layer().with_target(false).with_ansi(false);
    let (lines, file_lines) = match config.log_format {
        LogFormat::Text => (
            lines
                .with_ansi(std::io::stderr().is_terminal())
                .with_writer(std::io::stderr)
                .boxed(),
            file.clone()
                .map(|file| file_lines.with_writer(file).boxed()),
        ),
        LogFormat::Json => (
            lines.json().with_writer(std::io::stderr).boxed(),
            file.clone()
                .map(|file| file_lines.json().with_writer(file).boxed()),
        ),
    };
    let subscriber = tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .with(file_lines);
    // A second start in one process (tests) keeps the first log.
    if subscriber.try_init().is_ok() {
        let _ = LOG.set(Log {
            filter: handle,
            format: config.log_format,
            file,
        });
    }
    Ok(())
}

/// Changes the level of the log that runs.
pub fn change(level: &str) -> Result<(), String> {
    let filter = filter(level)?;
    match LOG.get() {
        Some(log) => log.filter.reload(filter).map_err(|error| error.to_string()),
        None => Ok(()),
    }
}

/// Takes up the log file's name anew, for those who rotate log files by themselves.
pub fn reopen() -> std::io::Result<()> {
    let file = LOG.get().and_then(|log| log.file.as_ref());
    file.map_or(Ok(()), |file| lock(&file.0).reopen())
}

/// The variables that let another process of this program write what this one's log takes in; see [`pass_on`].
pub fn variables() -> Vec<(&'static str, String)> {
    let Some(log) = LOG.get() else {
        return Vec::new();
    };
    let filter = log.filter.with_current(ToString::to_string);
    let filter = filter.ok().map(|filter| ("LIMN_LOG", filter));
    let format = log.format.to_possible_value();
    let format = format.map(|format| ("LIMN_LOG_FORMAT", format.get_name().to_owned()));
    filter.into_iter().chain(format).collect()
}

/// Takes in a line that another process of this program wrote on its standard error.
pub fn pass_on(line: &str) {
    let Some(log) = LOG.get() else {
        return eprintln!("{line}");
    };
    // Only its log writes objects; what else it wrote must not break the reader of these lines.
    if log.format == LogFormat::Json && !line.starts_with('{') {
        if !line.trim().is_empty() {
            tracing::warn!("the device's process says: {line}");
        }
        return;
    }
    let line = format!("{line}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(file) = &log.file {
        let _ = file.make_writer().write_all(line.as_bytes());
    }
}

fn filter(text: &str) -> Result<EnvFilter, String> {
    EnvFilter::try_new(text).map_err(|error| format!("`{text}` is not a log filter: {error}"))
}

/// Shared by what writes lines; each is whole.
#[derive(Clone)]
struct Shared(Arc<Mutex<LogFile>>);

impl<'a> MakeWriter<'a> for Shared {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(&self.0)
    }
}

struct Line<'a>(&'a Mutex<LogFile>);

impl Write for Line<'_> {
    /// A full disk loses lines and nothing else.
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let _ = lock(self.0).write_all(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
