//! What can be said on the command line.

mod client;
mod dead;
mod deploy;
mod elsewhere;
mod groups;
mod hosts;
mod jobs;
mod listen;
mod logs;
mod orphans;
mod outlets;
mod overview;
mod reap;
mod reset_action;
mod resets;
mod server;
mod shell;
mod token;
mod variables;
mod zookeeper;

use std::ffi::OsString;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

pub use client::ClientOptions;
pub use dead::DeadOptions;
pub use deploy::{DeployArgs, GoalArgs, UndeployArgs, WatchArgs};
pub(crate) use elsewhere::called_here;
pub use groups::{
    CreateGroupArgs, EditGroupArgs, GroupArgs, GroupStatusArgs, HowArgs, ListGroupsArgs,
    ResumeGroupArgs, RollingUpdateArgs, WatchGroupArgs,
};
pub use hosts::{DeregisterArgs, HostsArgs, MastersArgs, RegisterArgs, VersionArgs};
pub use jobs::{CreateArgs, HistoryArgs, InspectArgs, JobsArgs, RemoveArgs, StatusArgs};
pub use listen::ListenArgs;
pub use logs::LogsArgs;
pub use orphans::OrphanOptions;
pub use outlets::{OutboundArgs, OutletOptions};
pub use reap::ReapArgs;
pub use reset_action::{HostResetOptions, MasterResetOptions};
pub use resets::{
    AbortResetArgs, ActionName, ListResetsArgs, ResetArgs, ResetAuditArgs, ResetCommand,
    ResetLimitArgs, ResetNameArgs, ResetPatienceArgs, ResetSpecArgs, ResetStatusArgs,
    ResumeResetArgs, StartResetArgs,
};
pub use server::{
    AgentArgs, AgentOptions, ContainerOptions, HttpOptions, MasterArgs, SoloArgs, StoreArgs,
};
pub use shell::{CompletionsArgs, ManArgs};
pub use token::{
    CreateTokenArgs, ListTokensArgs, RevokeTokenArgs, RoleArg, TokenArgs, TokenCommand,
    TokenStoreArgs,
};
pub use variables::{
    AuditArgs, ChartArgs, ConfirmArgs, FollowArgs, ForgetArgs, GuardArgs, HostArgs,
    ListVariablesArgs, NameArgs, OnHarm, PreviewArgs, RollbackArgs, RolloutArgs, SetArgs,
    ShapeName, ValueType, VariableArgs, VariableCommand,
};
pub use zookeeper::{ZkArgs, ZkCommand, ZooKeeperArgs};

/// Deploys containers to hosts.
///
/// Start with `helios solo` on a machine with Docker; then create a job and deploy it from another
/// terminal. Commands and long options may be cut to a unique prefix.
#[derive(Debug, Parser)]
#[command(
    name = "helios",
    version,
    infer_subcommands = true,
    infer_long_args = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub struct Cli {
    /// Options before the command; after [`Cli::read`] also those after it.
    #[command(flatten)]
    pub options: ClientOptions,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Creates a job: from a file, from an existing job, or from options alone
    Create(Box<CreateArgs>),
    /// Removes a job that is deployed nowhere
    Remove(RemoveArgs),
    /// Shows all that is known of a job
    Inspect(InspectArgs),
    /// Lists jobs
    Jobs(JobsArgs),
    /// Deploys a job on hosts
    Deploy(DeployArgs),
    /// Takes a job off hosts
    Undeploy(UndeployArgs),
    /// Starts a deployed job again
    Start(GoalArgs),
    /// Stops a job without undeploying it
    Stop(GoalArgs),
    /// Shows where jobs run
    Status(StatusArgs),
    /// Tells what happened to a job on all hosts, oldest first
    History(HistoryArgs),
    /// Shows again and again how a job is doing
    Watch(WatchArgs),
    /// Creates a deployment group: all hosts whose labels match
    CreateDeploymentGroup(CreateGroupArgs),
    /// Gives a deployment group other selectors
    EditDeploymentGroup(EditGroupArgs),
    /// Removes a deployment group; its jobs stay deployed
    RemoveDeploymentGroup(GroupArgs),
    /// Lists deployment groups
    ListDeploymentGroups(ListGroupsArgs),
    /// Shows a deployment group
    InspectDeploymentGroup(GroupArgs),
    /// Shows how a deployment group and its rolling update are doing
    DeploymentGroupStatus(GroupStatusArgs),
    /// Shows that again and again
    WatchDeploymentGroup(WatchGroupArgs),
    /// Brings a job to a deployment group, a few hosts at a time
    RollingUpdate(Box<RollingUpdateArgs>),
    /// Gives up the rolling update of a deployment group
    StopDeploymentGroup(GroupArgs),
    /// Pauses the rolling update of a deployment group
    PauseDeploymentGroup(GroupArgs),
    /// Resumes the rolling update of a deployment group
    ResumeDeploymentGroup(ResumeGroupArgs),
    /// Takes the last rolling update of a deployment group back
    RollbackDeploymentGroup(GroupArgs),
    /// Shows what a job's container wrote
    Logs(LogsArgs),
    /// Lists hosts
    Hosts(HostsArgs),
    /// Registers a host for an agent that comes later
    Register(RegisterArgs),
    /// Deregisters a host, and undeploys all its jobs
    Deregister(DeregisterArgs),
    /// Lists the masters that run
    // Short forms of the only command of the original that began with an m.
    #[command(aliases = ["m", "ma", "mas", "mast", "maste"])]
    Masters(MastersArgs),
    /// Looks after variables, and changes them gradually
    Variable(VariableArgs),
    /// Follows what this host should hold: writes a file and runs a command on change
    Follow(FollowArgs),
    /// Renews machines, a few at a time, while services stay up
    Reset(ResetArgs),
    /// Shows the versions of this program and of the master
    // The short form of the original, in which no other command began with a v.
    #[command(alias = "v")]
    Version(VersionArgs),
    /// Creates, lists and revokes access tokens
    Token(TokenArgs),
    /// Runs master and agent on this machine, in one process
    Solo(SoloArgs),
    /// Runs a master
    Master(MasterArgs),
    /// Runs the agent of this machine
    Agent(AgentArgs),
    /// Prints what a shell has to read to complete commands and options
    Completions(CompletionsArgs),
    /// Writes a manual page for each command into a directory
    Man(ManArgs),
    /// Looks after a store in ZooKeeper
    #[cfg(feature = "zookeeper")]
    Zk(ZkArgs),
}

/// The commands that ask no master, and so take none of the options for that.
const SERVERS: [&str; 6] = ["solo", "master", "agent", "zk", "completions", "man"];

impl Cli {
    /// All that can be said, with the options of every command where they can stand.
    #[must_use]
    pub fn full_command() -> clap::Command {
        let command = Self::command().mut_subcommands(with_client_options);
        let template = overview::template(&command);
        command.help_template(template)
    }

    /// Reads a command line; the first of `arguments` is the name of the program.
    ///
    /// # Errors
    /// What clap has to say about it; also when help or the version is asked for.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let matches = Self::full_command().try_get_matches_from(arguments)?;
        let cli = Self::from_arg_matches(&matches)?;
        let later = match matches.subcommand() {
            Some((name, mut later)) if !SERVERS.contains(&name) => {
                while let Some((_, deeper)) = later.subcommand() {
                    later = deeper;
                }
                ClientOptions::from_arg_matches(later)?
            }
            _ => ClientOptions::default(),
        };
        Ok(Self {
            options: cli.options.and(later),
            command: cli.command,
        })
    }
}

/// The command, with the options of every command that asks a master; a group of commands leaves them to each of its own.
fn with_client_options(command: clap::Command) -> clap::Command {
    if SERVERS.contains(&command.get_name()) {
        return command;
    }
    if command.has_subcommands() {
        return command.mut_subcommands(with_client_options);
    }
    // What the command is for must not become what the documentation says of its options.
    let about = command.get_about().cloned().unwrap_or_default();
    ClientOptions::augment_args(command.next_help_heading("Options of every command")).about(about)
}

#[cfg(test)]
mod tests;
