//! What the commands about hosts and masters take.

use clap::{Args, ValueEnum};
use helios_api::wire::HostState;

/// What `hosts` takes.
#[derive(Clone, Debug, Args)]
pub struct HostsArgs {
    /// Only hosts whose name matches this regular expression somewhere
    pub pattern: Option<String>,
    /// Print only the names
    #[arg(short)]
    pub quiet: bool,
    /// Show full names
    #[arg(short)]
    pub full: bool,
    /// Only hosts that are in this state
    #[arg(long, num_args = 0..=1)]
    pub status: Option<Option<State>>,
    /// Only hosts whose labels match, such as role=web or "az in (a, b)"
    #[arg(short, long = "selector", value_name = "SELECTOR")]
    pub selectors: Vec<String>,
}

/// Whether a host's agent is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub enum State {
    /// It is.
    Up,
    /// It is not.
    Down,
}

impl From<State> for HostState {
    fn from(state: State) -> Self {
        match state {
            State::Up => Self::Up,
            State::Down => Self::Down,
        }
    }
}

/// What `register` takes.
#[derive(Clone, Debug, Args)]
pub struct RegisterArgs {
    /// The name of the host
    pub host: String,
    /// The id of its agent
    pub id: String,
}

/// What `deregister` takes.
#[derive(Clone, Debug, Args)]
pub struct DeregisterArgs {
    /// The name of the host
    pub host: String,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// What `masters` takes.
#[derive(Clone, Debug, Args)]
pub struct MastersArgs {
    /// Only masters whose name matches this regular expression somewhere
    pub pattern: Option<String>,
    /// Show full names
    #[arg(short)]
    pub full: bool,
}

/// What `version` takes.
#[derive(Clone, Debug, Args)]
pub struct VersionArgs {}
