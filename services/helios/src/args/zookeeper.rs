//! What concerns ZooKeeper.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::StoreArgs;

/// How an ensemble is talked to. Passwords come from the environment only, because everybody on a machine can
/// read its command lines: `HELIOS_ZK_MASTER_PASSWORD`, `HELIOS_ZK_AGENT_PASSWORD` and, of one agent,
/// `HELIOS_ZK_HOST_PASSWORD`.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Options for zk://")]
pub struct ZooKeeperArgs {
    /// After how long without a sign of this process the servers take it for gone
    #[arg(
        long = "zk-session-timeout",
        value_name = "MILLISECONDS",
        value_parser = clap::value_parser!(u64).range(1000..=600_000)
    )]
    pub session_timeout: Option<u64>,
    /// The user that masters are; their password is in HELIOS_ZK_MASTER_PASSWORD
    #[arg(
        long = "zk-acl-master-user",
        value_name = "USER",
        default_value = "helios-master"
    )]
    pub master_user: String,
    /// The user that all agents are; their password is in HELIOS_ZK_AGENT_PASSWORD
    #[arg(
        long = "zk-acl-agent-user",
        value_name = "USER",
        default_value = "helios-agent"
    )]
    pub agent_user: String,
    /// For agents: who the masters are, without their password, as `helios zk init-acl` prints it
    #[arg(long = "zk-acl-master-digest", value_name = "DIGEST")]
    pub master_digest: Option<String>,
    /// For masters: who the agents are, unless HELIOS_ZK_AGENT_PASSWORD tells
    #[arg(long = "zk-acl-agent-digest", value_name = "DIGEST")]
    pub agent_digest: Option<String>,
    /// Talk TLS, and trust servers whose certificate one of these authorities (PEM) signed
    #[arg(
        id = "zk_tls_ca",
        long = "zk-tls-ca",
        value_name = "FILE",
        env = "HELIOS_ZK_TLS_CA"
    )]
    pub tls_ca: Option<PathBuf>,
    /// The certificate (PEM, with its chain) to show to servers that ask for one
    #[arg(
        id = "zk_tls_cert",
        long = "zk-tls-cert",
        value_name = "FILE",
        env = "HELIOS_ZK_TLS_CERT",
        requires_all = ["zk_tls_ca", "zk_tls_key"]
    )]
    pub tls_cert: Option<PathBuf>,
    /// The private key (PEM) of that certificate
    #[arg(
        id = "zk_tls_key",
        long = "zk-tls-key",
        value_name = "FILE",
        env = "HELIOS_ZK_TLS_KEY",
        requires = "zk_tls_cert"
    )]
    pub tls_key: Option<PathBuf>,
}

impl ZooKeeperArgs {
    /// How long a session lasts without a sign of life, if that was said.
    #[must_use]
    pub fn session_timeout(&self) -> Option<Duration> {
        self.session_timeout.map(Duration::from_millis)
    }

    /// One of the options without a default, if one was given.
    #[must_use]
    pub fn given(&self) -> Option<&'static str> {
        let given = [
            (self.session_timeout.is_some(), "--zk-session-timeout"),
            (self.master_digest.is_some(), "--zk-acl-master-digest"),
            (self.agent_digest.is_some(), "--zk-acl-agent-digest"),
            (self.tls_ca.is_some(), "--zk-tls-ca"),
        ];
        given.into_iter().find_map(|(is, name)| is.then_some(name))
    }
}

/// What `zk` takes.
#[derive(Clone, Debug, Args)]
pub struct ZkArgs {
    /// What to do
    #[command(subcommand)]
    pub command: ZkCommand,
}

/// What can be done about an ensemble.
#[derive(Clone, Debug, Subcommand)]
pub enum ZkCommand {
    /// Gives every node of the store its access list, so that masters and agents can do their work and
    /// nobody else can do anything
    ///
    /// Run it with the masters' password in HELIOS_ZK_MASTER_PASSWORD before the first agent starts, or
    /// later to close a store that was open. It may be repeated, also while others work.
    InitAcl(StoreArgs),
}
