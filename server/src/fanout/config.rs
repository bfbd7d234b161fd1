//! What viewers may have.

use clap::Args;

/// What viewers may have.
#[derive(Args, Clone, Debug)]
pub struct FanoutConfig {
    /// The most that one viewer is sent, in thousands of bits a second: quality goes first, then the rate
    #[arg(long, env = "LIMN_MAX_KBPS", value_name = "KBPS", value_parser = clap::value_parser!(u32).range(50..))]
    pub max_kbps: Option<u32>,
    /// The most viewers at a time, of all sessions and the program; 0 for no limit
    #[arg(
        long,
        env = "LIMN_MAX_VIEWERS",
        value_name = "N",
        default_value_t = 1000
    )]
    pub max_viewers: usize,
    /// The most viewers of one session, or of the program; 0 for no limit
    #[arg(
        long,
        env = "LIMN_MAX_VIEWERS_PER_SESSION",
        value_name = "N",
        default_value_t = 500
    )]
    pub max_viewers_per_session: usize,
    /// Send a picture that is the same bytes as the one before only once a second
    #[arg(long, env = "LIMN_DROP_SAME")]
    pub drop_same: bool,
}
