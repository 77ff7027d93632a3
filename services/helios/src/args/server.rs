//! What the commands that go on running take.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::Args;

use super::{
    DeadOptions, HostResetOptions, ListenArgs, MasterResetOptions, OrphanOptions, OutboundArgs,
    OutletOptions, ReapArgs, ZooKeeperArgs,
};

/// What `solo` takes.
#[derive(Clone, Debug, Args)]
pub struct SoloArgs {
    /// Where state lives: file:DIR, zk://h1:2181,h2:2181/helios, or memory: to forget it at the end
    /// [default: a folder of the state directory]
    #[arg(long, value_name = "STORE")]
    pub store: Option<String>,
    /// What the agent takes
    #[command(flatten)]
    pub agent: AgentOptions,
    /// Whom the master lets in
    #[command(flatten)]
    pub door: ListenArgs,
    /// What it cleans up
    #[command(flatten)]
    pub reap: ReapArgs,
    /// How an ensemble is talked to
    #[command(flatten)]
    pub zookeeper: ZooKeeperArgs,
}

/// Where state lives, for processes that may share it.
#[derive(Clone, Debug, Args)]
pub struct StoreArgs {
    /// Where state lives, for all masters and agents of a fleet: zk://h1:2181,h2:2181/helios
    #[arg(
        long,
        value_name = "STORE",
        required_unless_present = "zk",
        conflicts_with = "zk"
    )]
    pub store: Option<String>,
    /// The same as --store zk://CONNECT
    #[arg(long, value_name = "CONNECT")]
    pub zk: Option<String>,
    /// How an ensemble is talked to
    #[command(flatten)]
    pub zookeeper: ZooKeeperArgs,
}

impl StoreArgs {
    /// The store, named as by `--store`.
    #[must_use]
    pub fn name(&self) -> String {
        match (&self.store, &self.zk) {
            (Some(store), _) => store.clone(),
            (None, Some(connect)) if connect.starts_with("zk://") => connect.clone(),
            (None, connect) => format!("zk://{}", connect.as_deref().unwrap_or_default()),
        }
    }
}

/// What `master` takes.
#[derive(Clone, Debug, Args)]
pub struct MasterArgs {
    /// The name of this master [default: the name of this machine]
    #[arg(long)]
    pub name: Option<String>,
    /// Where state lives
    #[command(flatten)]
    pub store: StoreArgs,
    /// Whom it lets in
    #[command(flatten)]
    pub door: ListenArgs,
    /// How hosts are reset from outside
    #[command(flatten)]
    pub reset: MasterResetOptions,
    /// How other services are reached
    #[command(flatten)]
    pub outbound: OutboundArgs,
    /// What it cleans up
    #[command(flatten)]
    pub reap: ReapArgs,
}

/// What `agent` takes.
#[derive(Clone, Debug, Args)]
pub struct AgentArgs {
    /// Where state lives
    #[command(flatten)]
    pub store: StoreArgs,
    /// What every agent takes
    #[command(flatten)]
    pub agent: AgentOptions,
}

/// What every agent takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options of the agent")]
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
    /// The agent's identity, at the first start with this state directory [default: drawn at random]
    #[arg(long)]
    pub id: Option<String>,
    /// Do not write down what happens to jobs here
    #[arg(long)]
    pub disable_job_history: bool,
    /// What every container on this host is given
    #[command(flatten)]
    pub containers: ContainerOptions,
    /// What is done about orphans
    #[command(flatten)]
    pub orphans: OrphanOptions,
    /// Which dead containers are kept
    #[command(flatten)]
    pub dead: DeadOptions,
    /// Remove images that this agent pulled once no job here has needed them for that many seconds [default: never]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(60..))]
    pub remove_images_after: Option<u64>,
    /// How this host is reset
    #[command(flatten)]
    pub reset: HostResetOptions,
    /// Who else is told what happens here
    #[command(flatten)]
    pub outlets: OutletOptions,
    /// What the agent answers
    #[command(flatten)]
    pub http: HttpOptions,
}

/// What an agent answers on its machine.
#[derive(Clone, Debug, Default, Args)]
pub struct HttpOptions {
    /// Answer what runs here, how it is, what was counted and what containers write: read-only, on a loopback address
    /// such as 127.0.0.1:5803 [default: off for agent, any free port for solo]
    #[arg(long, value_name = "ADDRESS")]
    pub http: Option<SocketAddr>,
    /// Where masters on other machines reach that by a tunnel or a proxy, as http://HOST:PORT
    #[arg(long, value_name = "URL")]
    pub http_advertise: Option<String>,
}

/// What an agent gives to every container of its host.
#[derive(Clone, Debug, Default, Args)]
pub struct ContainerOptions {
    /// Environment variable for every container; the job's own wins
    #[arg(long, value_name = "NAME=VALUE")]
    pub env: Vec<String>,
    /// Name server for every container
    #[arg(long, value_name = "ADDRESS")]
    pub dns: Vec<IpAddr>,
    /// Directory or file of this host that every container sees
    #[arg(long, value_name = "FROM:TO[:ro]")]
    pub bind: Vec<String>,
    /// Line for the hosts file of every container
    #[arg(long, value_name = "NAME:ADDRESS")]
    pub add_host: Vec<String>,
    /// Syslog that gets what every container writes, by UDP
    #[arg(long, value_name = "HOST:PORT")]
    pub syslog_redirect_to: Option<String>,
    /// Ports to give to jobs that name none; the end is not one of them [default: 20000:32768]
    #[arg(long, value_name = "START:END")]
    pub port_range: Option<String>,
}
