//! What the commands about deployments take.

use clap::Args;
use clap::builder::RangedU64ValueParser;

/// What `deploy` takes.
#[derive(Clone, Debug, Args)]
pub struct DeployArgs {
    /// The job: its id or a part of it
    pub job: String,
    /// The hosts: names, or what they start with
    #[arg(required = true)]
    pub hosts: Vec<String>,
    /// The job's token
    #[arg(long, num_args = 0..=1, default_value = "", default_missing_value = "", hide_default_value = true)]
    pub token: String,
    /// Deploy without starting
    #[arg(long)]
    pub no_start: bool,
    /// Wait until the job runs everywhere, or does not get that far
    #[arg(long)]
    pub watch: bool,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = interval())]
    pub interval: u64,
}

/// What `undeploy` takes.
#[derive(Clone, Debug, Args)]
pub struct UndeployArgs {
    /// The job: its id or a part of it
    pub job: String,
    /// The hosts: names, or what they start with
    pub hosts: Vec<String>,
    /// Take it off every host
    #[arg(short, long)]
    pub all: bool,
    /// The job's token
    #[arg(long, num_args = 0..=1, default_value = "", default_missing_value = "", hide_default_value = true)]
    pub token: String,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// What `start` and `stop` take.
#[derive(Clone, Debug, Args)]
pub struct GoalArgs {
    /// The job: its id or a part of it
    pub job: String,
    /// The hosts
    #[arg(required = true)]
    pub hosts: Vec<String>,
    /// The job's token
    #[arg(long, num_args = 0..=1, default_value = "", default_missing_value = "", hide_default_value = true)]
    pub token: String,
}

/// What `watch` takes.
#[derive(Clone, Debug, Args)]
pub struct WatchArgs {
    /// The jobs: those whose id contains this
    pub job: String,
    /// Only hosts whose name starts with one of these
    pub hosts: Vec<String>,
    /// Only hosts whose name is one of these, also those that report nothing
    #[arg(long)]
    pub exact: bool,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = interval())]
    pub interval: u64,
}

fn interval() -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(1..=86_400)
}
