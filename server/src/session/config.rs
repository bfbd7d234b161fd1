//! Who may stay, and how long.

use std::time::Duration;

use clap::Args;

use super::blocked::BlockedWords;
use crate::seconds::seconds;

/// Who may stay, and how long.
#[derive(Args, Clone, Debug)]
pub struct SessionConfig {
    /// The most sessions at a time; 0 for no limit
    #[arg(
        long,
        alias = "max-queue-size",
        env = "LIMN_MAX_SESSIONS",
        value_name = "N",
        default_value_t = 4
    )]
    pub max_sessions: usize,
    /// The most sessions at a time from one address, loopback ones aside; 0 for no limit
    #[arg(
        long,
        env = "LIMN_MAX_SESSIONS_PER_ADDRESS",
        value_name = "N",
        default_value_t = 2
    )]
    pub max_sessions_per_address: usize,
    /// The most changes a second that a session takes: of its parameters, row or label
    #[arg(long, env = "LIMN_MAX_CHANGES", value_name = "N", default_value_t = 1000.0, value_parser = rate)]
    pub max_changes: f64,
    /// Refuse prompts with words of this file: one word or phrase a line
    #[arg(long, env = "LIMN_BLOCKED_WORDS", value_name = "FILE", value_parser = BlockedWords::read)]
    pub blocked_words: Option<BlockedWords>,
    /// End a session this many seconds after it began; 0 for never
    #[arg(long, env = "LIMN_TIMEOUT", value_name = "SECONDS", default_value = "0", value_parser = seconds)]
    pub timeout: Duration,
    /// End a session that has sent nothing for this many seconds; 0 for never
    #[arg(long, env = "LIMN_IDLE_TIMEOUT", value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub idle_timeout: Duration,
    /// Keep the place of a session whose connection broke for this many seconds, though others wait
    #[arg(long, env = "LIMN_GRACE", value_name = "SECONDS", default_value = "20", value_parser = seconds)]
    pub grace: Duration,
    /// The most frames a second that a session is asked for, and that are taken of it
    #[arg(long, env = "LIMN_MAX_FPS", value_name = "N", default_value_t = 60.0, value_parser = rate)]
    pub max_fps: f64,
    /// Before stopping, let sessions go on for up to this many seconds, and begin no more
    #[arg(long, env = "LIMN_DRAIN", value_name = "SECONDS", default_value = "0", value_parser = seconds)]
    pub drain: Duration,
}

fn rate(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|rate| (0.1..=1_000_000.0).contains(rate))
        .ok_or_else(|| format!("`{text}` is not a rate from 0.1 to 1000000"))
}
