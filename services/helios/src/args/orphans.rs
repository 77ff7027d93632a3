//! What an agent is told to do about orphans.

use std::time::Duration;

use clap::{Args, ValueEnum};
use helios_core::orphans::{OrphanMode, OrphanPolicy};

/// What an agent does about what nothing manages any more.
#[derive(Clone, Debug, Args)]
pub struct OrphanOptions {
    /// What to do with processes, port proxies and containers of this agent that nothing manages any more;
    /// others' are only ever reported
    #[arg(long, value_name = "MODE", value_enum, default_value = "report")]
    pub orphans: Mode,
    /// Seconds between two searches for them
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub orphans_interval: u64,
}

/// What is done with orphans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// They are reported with the host.
    Report,
    /// They are reported, and ended if they surely were this agent's.
    Reap,
}

impl OrphanOptions {
    pub(crate) fn policy(&self) -> OrphanPolicy {
        let usual = OrphanPolicy::default();
        let every = Duration::from_secs(self.orphans_interval);
        OrphanPolicy {
            mode: match self.orphans {
                Mode::Report => OrphanMode::Report,
                Mode::Reap => OrphanMode::Reap,
            },
            every,
            // Whoever looks more often wants to know sooner.
            confirm_after: usual.confirm_after.min(every),
        }
    }
}

impl Default for OrphanOptions {
    fn default() -> Self {
        Self {
            orphans: Mode::Report,
            orphans_interval: 60,
        }
    }
}
