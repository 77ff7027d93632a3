//! What the commands about deployment groups take.

use clap::builder::{PossibleValuesParser, RangedU64ValueParser, TypedValueParser as _};
use clap::{ArgAction, Args};
use helios_rollout::rolling::{Hosts, Policy, WhenDown};

/// What `create-deployment-group` takes.
#[derive(Clone, Debug, Args)]
pub struct CreateGroupArgs {
    /// The name of the group
    pub name: String,
    /// What the labels of its hosts fulfil, such as role=web or "az in (a, b)"
    #[arg(required = true, value_name = "SELECTOR")]
    pub selectors: Vec<String>,
    /// Print only the answer
    #[arg(short)]
    pub quiet: bool,
}

/// What `edit-deployment-group` takes.
#[derive(Clone, Debug, Args)]
pub struct EditGroupArgs {
    /// The name of the group
    pub name: String,
    /// What the labels of its hosts fulfil from now on
    #[arg(required = true, value_name = "SELECTOR")]
    pub selectors: Vec<String>,
    /// Only say which hosts would join and leave
    #[arg(long)]
    pub plan: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// What the commands take that need nothing but the name of a group.
#[derive(Clone, Debug, Args)]
pub struct GroupArgs {
    /// The name of the group
    pub name: String,
}

/// What `resume-deployment-group` takes.
#[derive(Clone, Debug, Args)]
pub struct ResumeGroupArgs {
    /// The name of the group
    pub name: String,
    /// Pause again once so many more hosts have been started
    #[arg(long, value_name = "HOSTS", value_parser = clap::value_parser!(u32).range(1..))]
    pub stop_after: Option<u32>,
}

/// What `list-deployment-groups` takes.
#[derive(Clone, Debug, Args)]
pub struct ListGroupsArgs {
    /// Only groups whose name matches this regular expression somewhere
    pub pattern: Option<String>,
    /// Only groups that are doing so
    #[arg(long, value_parser = ["ROLLING_OUT", "ACTIVE", "FAILED", "IDLE"], ignore_case = true)]
    pub status: Option<String>,
}

/// What `deployment-group-status` takes.
#[derive(Clone, Debug, Args)]
pub struct GroupStatusArgs {
    /// The name of the group
    pub name: String,
    /// Show full names and ids
    #[arg(short)]
    pub full: bool,
}

/// What `watch-deployment-group` takes.
#[derive(Clone, Debug, Args)]
pub struct WatchGroupArgs {
    /// What is shown
    #[command(flatten)]
    pub status: GroupStatusArgs,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = RangedU64ValueParser::<u64>::new().range(1..=86_400))]
    pub interval: u64,
}

/// What `rolling-update` takes.
#[derive(Clone, Debug, Args)]
pub struct RollingUpdateArgs {
    /// The job: its id or a part of it
    pub job: String,
    /// The name of the group
    #[arg(value_name = "GROUP")]
    pub group: String,
    /// Only say which hosts would be updated, in which order; change nothing
    #[arg(long)]
    pub plan: bool,
    /// Do not wait until it is done
    #[arg(long = "async")]
    pub detached: bool,
    /// Minutes after which this command stops waiting; the update goes on
    #[arg(short = 'T', long, value_name = "MINUTES", default_value = "60")]
    pub rollout_timeout: i64,
    /// How the hosts are updated
    #[command(flatten)]
    pub how: HowArgs,
}

/// How the hosts of a group are updated. What is not said the job decides.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "How the hosts are updated")]
pub struct HowArgs {
    /// How long a host may take, in seconds
    #[arg(short, long, value_name = "SECONDS")]
    pub timeout: Option<i64>,
    /// How many hosts are updated at a time: a count, or a share such as 10%
    #[arg(short, long = "par", value_name = "HOSTS")]
    pub parallelism: Option<Hosts>,
    /// At least so many at a time, where that is a share
    #[arg(long, value_name = "HOSTS")]
    pub at_least: Option<u32>,
    /// At most so many at a time, where that is a share
    #[arg(long, value_name = "HOSTS")]
    pub at_most: Option<u32>,
    /// A label whose values are zones: so many at a time in each of them
    #[arg(long, value_name = "LABEL")]
    pub per: Option<String>,
    /// Start the new job before the old one is stopped
    #[arg(long)]
    pub overlap: bool,
    /// Take over deployments of the job that were made by hand
    #[arg(long)]
    pub migrate: bool,
    /// Go on whatever fails
    #[arg(long)]
    pub ignore_failures: bool,
    /// Give up once more hosts than that have failed: a count, or a share such as 5%
    #[arg(long, value_name = "HOSTS")]
    pub max_failures: Option<Hosts>,
    /// How long the job must be healthy before its host is done
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "0",
        hide_default_value = true
    )]
    pub healthy_for: u32,
    /// What becomes of hosts that are down
    #[arg(long, value_name = "POLICY", default_value = "skip", action = ArgAction::Set,
        value_parser = PossibleValuesParser::new(["skip", "wait", "fail"]).map(|word| when_down(&word)))]
    pub when_down: WhenDown,
    /// Pause once so many hosts have been started, until `resume-deployment-group`
    #[arg(long, value_name = "HOSTS")]
    pub stop_after: Option<u32>,
    /// When it is given up, go back to the job the group had before
    #[arg(long)]
    pub rollback: bool,
    /// The token of the jobs
    #[arg(long, num_args = 0..=1, default_missing_value = "")]
    pub token: Option<String>,
}

fn when_down(word: &str) -> WhenDown {
    match word {
        "wait" => WhenDown::Wait,
        "fail" => WhenDown::Fail,
        _ => WhenDown::Skip,
    }
}

impl HowArgs {
    /// The count of hosts that is given as the option of the original, which every master knows.
    #[must_use]
    pub fn count(&self) -> Option<i32> {
        match self.parallelism {
            Some(Hosts::Count(count)) => Some(i32::try_from(count).unwrap_or(i32::MAX)),
            _ => None,
        }
    }

    /// What the options of the original cannot say.
    #[must_use]
    pub fn policy(&self) -> Policy {
        Policy {
            parallelism: self
                .parallelism
                .filter(|hosts| matches!(hosts, Hosts::Share(_))),
            at_least: self.at_least,
            at_most: self.at_most,
            per: self.per.clone(),
            failures: self.max_failures,
            healthy_seconds: self.healthy_for,
            when_down: self.when_down,
            stop_after: self.stop_after,
            rollback: self.rollback,
        }
    }
}
