//! What the operator says of NDI: <https://ndi.video>.

use clap::Args;

/// NDI, in and out.
#[derive(Args, Clone, Debug, Default)]
pub struct NdiConfig {
    /// Mirror the program as the NDI source of this name
    #[arg(long, env = "LIMN_NDI", value_name = "NAME")]
    pub ndi: Option<String>,
    /// Mirror each session as well, as `NAME (label)`
    #[arg(long, env = "LIMN_NDI_SESSIONS", requires = "ndi")]
    pub ndi_sessions: bool,
    /// Send to these groups, and look for sources in them: a list with commas
    #[arg(long, env = "LIMN_NDI_GROUPS", value_name = "GROUPS")]
    pub ndi_groups: Option<String>,
    /// Look for sources at these addresses, too: a list with commas, for machines of other networks
    #[arg(long, env = "LIMN_NDI_EXTRA_IPS", value_name = "ADDRESSES")]
    pub ndi_extra_ips: Option<String>,
    /// Do not start without the NDI library
    #[arg(long, env = "LIMN_REQUIRE_NDI")]
    pub require_ndi: bool,
}
