//! What the commands that go on running take.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// What `solo` takes.
#[derive(Clone, Debug, Args)]
pub struct SoloArgs {
    /// Where state lives: file:DIR, or memory: to forget it at the end [default: a folder of the state
    /// directory]
    #[arg(long, value_name = "STORE")]
    pub store: Option<String>,
    /// Where the master listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5801")]
    pub listen: SocketAddr,
    /// What the agent takes
    #[command(flatten)]
    pub agent: AgentOptions,
}

/// What `master` takes.
#[derive(Clone, Debug, Args)]
pub struct MasterArgs {
    /// Where state lives, for all masters and agents of a fleet: zk://h1:2181,h2:2181/helios
    #[arg(long, value_name = "STORE")]
    pub store: String,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5801")]
    pub listen: SocketAddr,
    /// The name of this master [default: the name of this machine]
    #[arg(long)]
    pub name: Option<String>,
}

/// What `agent` takes.
#[derive(Clone, Debug, Args)]
pub struct AgentArgs {
    /// Where state lives, for all masters and agents of a fleet: zk://h1:2181,h2:2181/helios
    #[arg(long, value_name = "STORE")]
    pub store: String,
    /// What every agent takes
    #[command(flatten)]
    pub agent: AgentOptions,
}

/// What every agent takes.
#[derive(Clone, Debug, Args)]
pub struct AgentOptions {
    /// Where the agent remembers what must survive a restart [default: /var/lib/helios for root, else
    /// ~/.local/state/helios]
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// The name of this host [default: the name of this machine]
    #[arg(long)]
    pub name: Option<String>,
    /// The container engine, such as unix:///var/run/docker.sock [default: DOCKER_HOST, then the local
    /// socket]
    #[arg(long, value_name = "URL")]
    pub docker: Option<String>,
    /// Label of this host, for selectors
    #[arg(long, value_name = "NAME=VALUE")]
    pub labels: Vec<String>,
}
