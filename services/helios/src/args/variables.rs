//! What the commands about variables take.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// What `variable` takes.
#[derive(Clone, Debug, Args)]
pub struct VariableArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: VariableCommand,
}

/// What to do with variables.
#[derive(Clone, Debug, Subcommand)]
pub enum VariableCommand {
    /// Gives every host a value at once; makes the variable if it is not there
    Set(SetArgs),
    /// Lists variables
    List(ListVariablesArgs),
    /// Shows a variable and its rollout
    Show(NameArgs),
    /// Removes a variable: hosts are told nothing of it any more
    Remove(ConfirmArgs),
    /// Moves hosts from one value to another over time, after showing the plan
    Rollout(Box<RolloutArgs>),
    /// Stops the clock of a rollout; who was told stays told
    Pause(NameArgs),
    /// Lets the clock of a rollout run again
    Resume(NameArgs),
    /// Ends a rollout where it is: every host keeps what it has
    Abort(ConfirmArgs),
    /// Turns a rollout round: the last told go back first
    Rollback(RollbackArgs),
    /// Says why a host holds what it holds
    Why(HostArgs),
    /// Says when a host changes
    When(HostArgs),
    /// Shows how many hosts hold what at a time
    Preview(PreviewArgs),
    /// Shows what happened in the rollout
    Audit(AuditArgs),
    /// Draws how many hosts hold what over time, planned and actual
    Chart(ChartArgs),
    /// Forgets a host without an agent, which may then say anew what it is
    Forget(ForgetArgs),
}

/// What `variable list` takes.
#[derive(Clone, Debug, Args)]
pub struct ListVariablesArgs {
    /// Only variables whose name matches this regular expression somewhere
    pub pattern: Option<String>,
    /// Only variables that are on their way to other hosts, are paused on it, or neither
    #[arg(long, value_parser = ["rolling", "paused", "settled"])]
    pub status: Option<String>,
}

/// A variable.
#[derive(Clone, Debug, Args)]
pub struct NameArgs {
    /// The name of the variable
    pub name: String,
}

/// A variable, and whether to ask first.
#[derive(Clone, Debug, Args)]
pub struct ConfirmArgs {
    /// The name of the variable
    pub name: String,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// A variable and a host.
#[derive(Clone, Debug, Args)]
pub struct HostArgs {
    /// The name of the variable
    pub name: String,
    /// The host
    pub host: String,
}

/// The type of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ValueType {
    /// A text.
    Text,
    /// A whole number.
    Integer,
    /// true or false.
    Bool,
}

/// What `variable set` takes.
#[derive(Clone, Debug, Args)]
pub struct SetArgs {
    /// The name of the variable
    pub name: String,
    /// The value
    pub value: String,
    /// The type of a new variable [default: what the value looks like]
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<ValueType>,
    /// Accept only these values from now on
    #[arg(long, value_delimiter = ',', value_name = "VALUES")]
    pub allow: Vec<String>,
    /// Forbid direct changes from one value to another from now on
    #[arg(long, value_name = "FROM:TO")]
    pub forbid: Vec<String>,
}

/// What `variable rollout` takes.
#[derive(Clone, Debug, Args)]
pub struct RolloutArgs {
    /// The name of the variable
    pub name: String,
    /// The value that hosts change from [default: the one that all hosts hold]
    #[arg(long)]
    pub from: Option<String>,
    /// The value that they change to
    #[arg(long, required_unless_present = "file")]
    pub to: Option<String>,
    /// How long it takes from start to end: 2w, 3d, 40m
    #[arg(long, value_name = "TIME", required_unless_present = "file")]
    pub over: Option<String>,
    /// When it starts: 2026-11-23T09:00+01:00, "2026-11-23T09:00 Europe/Stockholm", +2h [default: now]
    #[arg(long, value_name = "WHEN")]
    pub start: Option<String>,
    /// Only in these hours; may be given again
    #[arg(long = "window", value_name = "Mon-Fri 09:00-16:00 Europe/Stockholm")]
    pub windows: Vec<String>,
    /// Not on these days; may be given again
    #[arg(
        long = "freeze",
        value_name = "2026-12-24..2026-12-27 Europe/Stockholm"
    )]
    pub freezes: Vec<String>,
    /// What it looks like over time
    #[arg(long, value_enum, default_value = "linear", conflicts_with = "stages")]
    pub shape: ShapeName,
    /// In jumps to these shares, spread evenly: 1%,5%,25%,100%
    #[arg(long, value_delimiter = ',', value_name = "SHARES")]
    pub stages: Vec<String>,
    /// The labels whose every value gets its fair share, outermost first
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "role",
        value_name = "LABELS"
    )]
    pub by: Vec<String>,
    /// Stop at this share of the hosts of each role
    #[arg(long, value_name = "SHARE")]
    pub per_role: Option<String>,
    /// So many hosts of each role at the start, however few it has
    #[arg(long, value_name = "HOSTS")]
    pub at_least: Option<u64>,
    /// At most so many hosts, or such a share, of each role before --until
    #[arg(long, value_name = "HOSTS", requires = "until")]
    pub at_most: Option<String>,
    /// The share of the fleet at which --at-most ends
    #[arg(long, value_name = "SHARE")]
    pub until: Option<String>,
    /// Only hosts whose labels match, such as role=web; may be given again
    #[arg(long = "on", value_name = "SELECTOR")]
    pub scope: Vec<String>,
    /// Which hosts come first: each text gives another order [default: the values]
    #[arg(long, value_name = "TEXT")]
    pub salt: Option<String>,
    /// After a pause, go faster instead of ending later, but at most so many times as fast
    #[arg(long, value_name = "TIMES")]
    pub catch_up: Option<u32>,
    /// What ends it early
    #[command(flatten)]
    pub guard: GuardArgs,
    /// What happens when harm is shown
    #[arg(long, value_enum, default_value = "rollback")]
    pub on_harm: OnHarm,
    /// How long to watch on after the last host has changed, before the rollout ends
    #[arg(long, value_name = "TIME", requires = "guards")]
    pub bake: Option<String>,
    /// Take all of it from this file: the body of POST /variables/NAME/rollout
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Only show the plan
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// What a rollout looks like over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ShapeName {
    /// As many hosts each hour.
    Linear,
    /// Slowly at both ends.
    Smooth,
    /// Slowly at the start.
    Careful,
}

/// What ends a rollout or a reset early.
#[derive(Clone, Debug, Args)]
pub struct GuardArgs {
    /// End it when it does harm: "health" (hosts that fail or do not come back) or the URL of a Prometheus server; may be given again
    #[arg(long = "guard", value_name = "health|URL")]
    pub guards: Vec<String>,
    /// What went wrong on each host, in PromQL; $window is the time since the last look
    #[arg(long, value_name = "PROMQL", requires = "guards")]
    pub guard_bad: Option<String>,
    /// What could have, in PromQL
    #[arg(long, value_name = "PROMQL", requires = "guards")]
    pub guard_all: Option<String>,
    /// The label of the samples that names the host
    #[arg(long, value_name = "LABEL", default_value = "instance")]
    pub guard_host: String,
    /// How much more trouble on hosts that have changed than on the others is tolerable
    #[arg(long, value_name = "SHARE", default_value = "50%")]
    pub margin: String,
    /// How long a host may be away after a change before it counts as trouble
    #[arg(long, value_name = "TIME", default_value = "2m")]
    pub grace: String,
    /// Stay at this share until harm is excluded; may be given again
    #[arg(long = "gate", value_name = "SHARE")]
    pub gates: Vec<String>,
    /// How long it may stay at a gate, or go without evidence, before it ends as if harm had been shown [default: a tenth of the
    /// time, at least a day]
    #[arg(long, value_name = "TIME")]
    pub dead_man: Option<String>,
    /// The risk of ending what does no harm
    #[arg(long, value_name = "SHARE", default_value = "5%")]
    pub false_alarms: String,
}

/// What happens when harm is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnHarm {
    /// Every host keeps what it has, and nobody else changes.
    Hold,
    /// Every host goes back.
    Rollback,
}

/// What `variable rollback` takes.
#[derive(Clone, Debug, Args)]
pub struct RollbackArgs {
    /// The name of the variable
    pub name: String,
    /// How long the way back takes [default: a twentieth of the way there, at most an hour]
    #[arg(long, value_name = "TIME")]
    pub over: Option<String>,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// What `variable preview` takes.
#[derive(Clone, Debug, Args)]
pub struct PreviewArgs {
    /// The name of the variable
    pub name: String,
    /// When: 2026-11-23T09:00+01:00, "2026-11-23T09:00 Europe/Stockholm", +2h [default: now]
    #[arg(long, value_name = "WHEN")]
    pub at: Option<String>,
}

/// What `variable audit` takes.
#[derive(Clone, Debug, Args)]
pub struct AuditArgs {
    /// The name of the variable
    pub name: String,
    /// Only what this host was told
    #[arg(long)]
    pub host: Option<String>,
    /// Make every decision of the log again, and say whether each comes out the same
    #[arg(long)]
    pub replay: bool,
}

/// What `variable chart` takes.
#[derive(Clone, Debug, Args)]
pub struct ChartArgs {
    /// The name of the variable
    pub name: String,
    /// Draw it into this SVG file instead of the terminal
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// What `variable forget` takes.
#[derive(Clone, Debug, Args)]
pub struct ForgetArgs {
    /// The host
    pub host: String,
}

/// What `follow` takes.
#[derive(Clone, Debug, Args)]
pub struct FollowArgs {
    /// The name of this host [default: the name of this machine]
    #[arg(long)]
    pub name: Option<String>,
    /// What this host is, as role=web; counts on its first call, unless it has an agent
    #[arg(short, long = "label", value_name = "NAME=VALUE")]
    pub labels: Vec<String>,
    /// Where to write what this host should hold: one flat JSON object
    #[arg(short, long, value_name = "FILE", default_value = "desired.json")]
    pub out: PathBuf,
    /// How often to ask, give or take a tenth
    #[arg(long, value_name = "TIME", default_value = "30s")]
    pub every: String,
    /// Ask once, enact what is new, and end
    #[arg(long)]
    pub once: bool,
    /// What to run when something changed; it finds the file in HELIOS_DESIRED. While it fails it is run again after each question, and
    /// the master is told
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}
