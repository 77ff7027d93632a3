//! What masters clean up.

use std::time::Duration;

use clap::Args;
use helios_core::reap::ReapRules;

/// What masters clean up beside expired jobs, which always are.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options for cleaning up")]
pub struct ReapArgs {
    /// Deregister hosts whose agent is away for that long; 0 for never
    #[arg(long, value_name = "HOURS", default_value = "336")]
    pub agent_reaping_timeout: u32,
    /// Remove jobs that are deployed nowhere and nothing happened to for that long; -1 for never
    #[arg(
        long,
        value_name = "DAYS",
        default_value = "-1",
        allow_negative_numbers = true
    )]
    pub job_retention: i32,
    /// Forget what is left of the history of removed jobs, also of those that were removed while no master ran with this
    #[arg(long)]
    pub reap_history: bool,
}

impl ReapArgs {
    /// What that comes to.
    #[must_use]
    pub fn rules(&self) -> ReapRules {
        let (hour, day) = (Duration::from_secs(3_600), Duration::from_secs(86_400));
        let hours = self.agent_reaping_timeout;
        let days = u32::try_from(self.job_retention).unwrap_or_default();
        ReapRules {
            dead_agents_after: (hours > 0).then(|| hour * hours),
            unused_jobs_after: (days > 0).then(|| day * days),
            history: self.reap_history,
        }
    }
}
