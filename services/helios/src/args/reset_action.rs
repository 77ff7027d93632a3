//! How machines are reset, for those that do it.

use std::path::PathBuf;

use clap::Args;

/// How an agent resets its host.
#[derive(Clone, Debug, Default, Args)]
pub struct HostResetOptions {
    /// What resets this host, once it is empty, when a reset of the fleet comes to it, such as "systemctl reboot";
    /// run by sh, with the order in HELIOS_RESET_ID [default: such a host fails]
    #[arg(long, value_name = "COMMAND")]
    pub reset_command: Option<String>,
    /// A file that is written anew when this host starts: its text names the boot, its time says since when the
    /// host is up; for hosts that are containers [default: what the kernel says]
    #[arg(long, value_name = "FILE")]
    pub boot_file: Option<PathBuf>,
}

/// How a master has hosts reset.
#[derive(Clone, Debug, Default, Args)]
pub struct MasterResetOptions {
    /// What resets a host from outside, for resets with --action master: run by sh, with HELIOS_RESET_HOST,
    /// HELIOS_RESET and HELIOS_RESET_ID
    #[arg(long, value_name = "COMMAND", conflicts_with = "reset_webhook")]
    pub reset_command: Option<String>,
    /// Who is asked to reset a host, for resets with --action master: gets a POST of {"host", "reset", "id"}
    #[arg(long, value_name = "URL")]
    pub reset_webhook: Option<String>,
}
