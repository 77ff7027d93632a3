//! What the commands about resets of the fleet take.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::GuardArgs;

/// What `reset` takes.
#[derive(Clone, Debug, Args)]
pub struct ResetArgs {
    /// What to do
    #[command(subcommand)]
    pub command: ResetCommand,
}

/// What can be done about resets.
#[derive(Clone, Debug, Subcommand)]
pub enum ResetCommand {
    /// Shows how a reset would go, or why it can never be done
    Plan(Box<ResetSpecArgs>),
    /// Resets machines, a few at a time, after showing the plan
    Start(Box<StartResetArgs>),
    /// Lists resets, also those that are over
    List(ListResetsArgs),
    /// Lists resets, or shows how one is doing and when it will be over
    Status(ResetStatusArgs),
    /// Lets the hosts that are away come back, and takes no more
    Pause(ResetNameArgs),
    /// Lets a reset that is paused or halted go on
    Resume(ResumeResetArgs),
    /// Ends a reset: hosts that were not reset yet get their jobs back, the others come back first
    Abort(AbortResetArgs),
    /// Tells which services bore the absence of a host, and which did not
    Report(ResetNameArgs),
    /// Shows what happened, who did it and why
    Audit(ResetAuditArgs),
}

/// What `reset list` takes.
#[derive(Clone, Debug, Default, Args)]
pub struct ListResetsArgs {
    /// Only resets whose name matches this regular expression somewhere
    pub pattern: Option<String>,
    /// Only resets that have come so far
    #[arg(long, value_parser = ["running", "paused", "halted", "aborting", "done", "aborted"])]
    pub status: Option<String>,
}

/// A reset.
#[derive(Clone, Debug, Args)]
pub struct ResetNameArgs {
    /// The name of the reset
    pub name: String,
}

/// What `reset audit` takes.
#[derive(Clone, Debug, Args)]
pub struct ResetAuditArgs {
    /// The name of the reset
    pub name: String,
    /// Only what happened to this host
    #[arg(long)]
    pub host: Option<String>,
}

/// What `reset start` takes.
#[derive(Clone, Debug, Args)]
pub struct StartResetArgs {
    /// What is wanted
    #[command(flatten)]
    pub spec: ResetSpecArgs,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Tell what happens to hosts until it is over
    #[arg(long)]
    pub follow: bool,
}

/// What `reset status` takes.
#[derive(Clone, Debug, Args)]
pub struct ResetStatusArgs {
    /// The name of the reset [default: lists all]
    pub name: Option<String>,
    /// Tell what happens to hosts until it is over
    #[arg(long, requires = "name")]
    pub follow: bool,
}

/// What `reset resume` takes.
#[derive(Clone, Debug, Args)]
pub struct ResumeResetArgs {
    /// The name of the reset
    pub name: String,
    /// Take hosts with which something went wrong once more
    #[arg(long)]
    pub again: bool,
    /// Another deadline: 2026-11-23T09:00+01:00, "2026-11-23T09:00 Europe/Stockholm", +7d
    #[arg(long, value_name = "WHEN")]
    pub by: Option<String>,
}

/// What `reset abort` takes.
#[derive(Clone, Debug, Args)]
pub struct AbortResetArgs {
    /// The name of the reset
    pub name: String,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// Which hosts are reset, what for, by when, and what must hold meanwhile.
#[derive(Clone, Debug, Args)]
pub struct ResetSpecArgs {
    /// The name of the reset; each name gives another order of the hosts
    pub name: String,
    /// Every host that by then would have been up for longer: 30d
    #[arg(long, value_name = "TIME", group = "wanted")]
    pub older_than: Option<String>,
    /// Every host that was not reset since: now, 2026-11-23T09:00+01:00
    #[arg(long, value_name = "WHEN", group = "wanted")]
    pub not_since: Option<String>,
    /// Every host whose operating system asks for a reboot
    #[arg(long, group = "wanted")]
    pub reboot_required: bool,
    /// The deadline: 2026-11-23T09:00+01:00, "2026-11-23T09:00 Europe/Stockholm", +7d
    #[arg(long, value_name = "WHEN", required_unless_present = "file")]
    pub by: Option<String>,
    /// Take all of it from this file instead: the body of POST /resets
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "wanted",
        conflicts_with = "wanted"
    )]
    pub file: Option<PathBuf>,
    /// Only hosts whose labels match, such as role=web; may be given again
    #[arg(short, long = "selector", value_name = "SELECTOR")]
    pub selectors: Vec<String>,
    /// Who resets a host once it is empty
    #[arg(long, value_enum, default_value = "agent")]
    pub action: ActionName,
    /// What must hold meanwhile
    #[command(flatten)]
    pub limits: ResetLimitArgs,
    /// What halts it
    #[command(flatten)]
    pub guard: GuardArgs,
    /// How long each step may take
    #[command(flatten)]
    pub patience: ResetPatienceArgs,
}

/// Who resets a host once it is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ActionName {
    /// Its own agent, by the command it was started with
    Agent,
    /// A master, by the command or webhook it was started with
    Master,
    /// Nobody: a drill, in which hosts are only emptied and filled again
    None,
}

/// What must hold while hosts are away.
#[derive(Clone, Debug, Args)]
pub struct ResetLimitArgs {
    /// At most so many hosts are away
    #[arg(long, value_name = "HOSTS", default_value_t = 1)]
    pub at_once: u64,
    /// And of each value of this label at most that share: role=10%, or role=10%,floor=1,ceiling=5,keep=2;
    /// the order of the hosts is spread over these labels; may be given again
    #[arg(long = "per", value_name = "LABEL=SHARE")]
    pub groups: Vec<String>,
    /// Choose hosts only in these hours; may be given again
    #[arg(long = "window", value_name = "Mon-Fri 09:00-16:00 Europe/Stockholm")]
    pub windows: Vec<String>,
    /// Choose none on these days; may be given again
    #[arg(
        long = "freeze",
        value_name = "2026-12-24..2026-12-27 Europe/Stockholm"
    )]
    pub freezes: Vec<String>,
    /// So many instances of every service stay well, or such a share: 2, 80%
    #[arg(long, value_name = "INSTANCES", default_value = "1")]
    pub minimum_healthy: String,
    /// Another minimum for one service: web=80%; may be given again
    #[arg(long = "minimum", value_name = "SERVICE=INSTANCES")]
    pub minimums: Vec<String>,
    /// A service, or a group as role=db, that is reset though it cannot bear it; may be given again
    #[arg(long = "waive", value_name = "SERVICE")]
    pub waived: Vec<String>,
    /// Do not wait until the first host is done before others are chosen
    #[arg(long)]
    pub no_trial: bool,
    /// So many hosts may fail or be lost before it is halted
    #[arg(long, value_name = "HOSTS", default_value_t = 0)]
    pub failures: u64,
}

/// How long each step of a host may take.
#[derive(Clone, Debug, Args)]
pub struct ResetPatienceArgs {
    /// From being chosen to being empty
    #[arg(long, value_name = "TIME", default_value = "15m")]
    pub drain_within: String,
    /// How long a master's command or webhook may take to answer
    #[arg(long, value_name = "TIME", default_value = "1m")]
    pub answer_within: String,
    /// From being told to reset to being back
    #[arg(long, value_name = "TIME", default_value = "30m")]
    pub back_within: String,
    /// From being back to having all its jobs well
    #[arg(long, value_name = "TIME", default_value = "15m")]
    pub well_within: String,
    /// How long its jobs have to stay well before it counts as done
    #[arg(long, value_name = "TIME", default_value = "30s")]
    pub settle: String,
    /// How long a service may be below its minimum before the reset is halted
    #[arg(long, value_name = "TIME", default_value = "1m")]
    pub below_for: String,
    /// How long a host is expected to be away, until some have been
    #[arg(long, value_name = "TIME", default_value = "10m")]
    pub expected: String,
}
