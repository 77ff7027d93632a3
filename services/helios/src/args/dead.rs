//! What an agent is told to do with dead containers.

use std::time::Duration;

use clap::Args;
use helios_core::reconcile::KeepDead;

/// Which dead containers an agent keeps for a look at what happened.
#[derive(Clone, Debug, Args)]
pub struct DeadOptions {
    /// Keep the last so many dead containers of each job, for `helios logs --previous` and `docker inspect`; 0 keeps none
    #[arg(long, value_name = "COUNT", default_value = "1", value_parser = clap::value_parser!(u8).range(0..=16))]
    pub keep_dead: u8,
    /// Seconds for which they are kept after they ended
    #[arg(long, value_name = "SECONDS", default_value = "3600")]
    pub keep_dead_for: u64,
}

impl DeadOptions {
    pub(crate) fn policy(&self) -> KeepDead {
        KeepDead {
            of_each_job: usize::from(self.keep_dead),
            keep_for: Duration::from_secs(self.keep_dead_for),
        }
    }
}

impl Default for DeadOptions {
    fn default() -> Self {
        Self {
            keep_dead: 1,
            keep_dead_for: 3600,
        }
    }
}
