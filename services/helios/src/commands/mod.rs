//! What each command does: one file per command.

mod call;
mod create;
mod deploy;
mod deregister;
mod follow;
mod goal;
mod groups;
mod guard;
mod history;
mod hosts;
mod inspect;
mod jobs;
mod logs;
mod masters;
mod reference;
mod register;
mod remove;
mod reset;
mod shell;
mod status;
mod token;
mod undeploy;
mod variable;
mod version;
mod watch;

use std::future::Future;

use helios_core::model::Goal;

use crate::args::{Cli, ClientOptions, Command};
use crate::targets::{self, Target};
use crate::{Console, Environment, Failure, Outcome, server};

use call::Call;
pub(crate) use token::{new_token, say_created, say_list};

/// Does what the command line says.
pub(crate) fn run(
    cli: Cli,
    environment: &Environment,
    console: &mut Console,
) -> Result<Outcome, Failure> {
    let Cli { options, command } = cli;
    match &command {
        Command::Solo(args) => return server::solo(args, environment, console),
        Command::Master(args) => return server::master(args, environment, console),
        Command::Agent(args) => return server::agent(args, environment, console),
        #[cfg(feature = "zookeeper")]
        Command::Zk(args) => return server::zk(args, environment, console),
        Command::Completions(args) => return shell::completions(args.shell, console),
        Command::Man(args) => return shell::man(&args.dir, console),
        Command::Token(args) => {
            if let Some(store) = &args.command.at().store {
                server::log_to_stderr(environment, level(options.verbose));
                let json = options.json;
                return server::token(&args.command, store, json, environment, console);
            }
        }
        _ => {}
    }
    server::log_to_stderr(environment, level(options.verbose));
    on_one_thread(async {
        let targets = targets::resolve(&options, environment).await?;
        tokio::select! {
            outcome = ask(&command, &options, &targets, environment, console) => outcome,
            never = targets::keep_fresh(&targets, environment) => match never {},
        }
    })
}

/// What is logged after so many `-v`.
fn level(verbose: u8) -> &'static str {
    match verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    }
}

/// A client waits for one answer at a time: more threads would only take time to start.
fn on_one_thread<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("this process cannot wait for answers").caused_by(error))?;
    runtime.block_on(work)
}

/// Asks one cluster after the other; `watch` asks all of them again and again.
async fn ask(
    command: &Command,
    options: &ClientOptions,
    targets: &[Target],
    environment: &Environment,
    console: &mut Console,
) -> Result<Outcome, Failure> {
    if let Command::Watch(args) = command {
        return watch::run(args, targets, console).await;
    }
    let [target] = targets else {
        return ask_each(command, options, targets, environment, console).await;
    };
    let call = &mut Call::new(target, options, environment, console);
    ask_one(command, call).await
}

/// Under the name of each cluster what it says; as JSON one object with a member for each.
async fn ask_each(
    command: &Command,
    options: &ClientOptions,
    targets: &[Target],
    environment: &Environment,
    console: &mut Console,
) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::Done;
    for (index, target) in targets.iter().enumerate() {
        if options.json {
            let before = if index == 0 { "{" } else { "," };
            console.say(format_args!("{before}\n{:?}: ", target.name));
        } else {
            let endpoints = target.client.endpoints();
            let heading = format!("{} ([{}])", target.name, endpoints.join(", "));
            console.say(format_args!("{heading}\n{}", "-".repeat(heading.len())));
        }
        let call = &mut Call::new(target, options, environment, console);
        let one = ask_one(command, call).await.unwrap_or_else(|failure| {
            call.console.complain(&failure);
            Outcome::NotDone
        });
        outcome = outcome.and(one);
        if !options.json {
            console.say("");
        }
    }
    if options.json {
        console.say("}");
    }
    Ok(outcome)
}

async fn ask_one(command: &Command, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    match command {
        Command::Create(args) => create::run(args, call).await,
        Command::Remove(args) => remove::run(args, call).await,
        Command::Inspect(args) => inspect::run(args, call).await,
        Command::Jobs(args) => jobs::run(args, call).await,
        Command::Deploy(args) => deploy::run(args, call).await,
        Command::Undeploy(args) => undeploy::run(args, call).await,
        Command::Start(args) => goal::run(Goal::Start, args, call).await,
        Command::Stop(args) => goal::run(Goal::Stop, args, call).await,
        Command::History(args) => history::run(args, call).await,
        Command::Status(args) => status::run(args, call).await,
        Command::CreateDeploymentGroup(args) => groups::create(args, call).await,
        Command::EditDeploymentGroup(args) => groups::edit(args, call).await,
        Command::RemoveDeploymentGroup(args) => groups::remove(args, call).await,
        Command::ListDeploymentGroups(args) => groups::list(args, call).await,
        Command::InspectDeploymentGroup(args) => groups::inspect(args, call).await,
        Command::DeploymentGroupStatus(args) => groups::status(args, call).await,
        Command::WatchDeploymentGroup(args) => groups::watch(args, call).await,
        Command::RollingUpdate(args) => groups::rolling_update(args, call).await,
        Command::StopDeploymentGroup(args) => groups::stop(args, call).await,
        Command::PauseDeploymentGroup(args) => groups::pause(args, call).await,
        Command::ResumeDeploymentGroup(args) => groups::resume(args, call).await,
        Command::RollbackDeploymentGroup(args) => groups::roll_back(args, call).await,
        Command::Logs(args) => logs::run(args, call).await,
        Command::Hosts(args) => hosts::run(args, call).await,
        Command::Register(args) => register::run(args, call).await,
        Command::Deregister(args) => deregister::run(args, call).await,
        Command::Masters(args) => masters::run(args, call).await,
        Command::Variable(args) => variable::run(args, call).await,
        Command::Follow(args) => follow::run(args, call).await,
        Command::Token(args) => token::run(args, call).await,
        Command::Reset(args) => reset::run(args, call).await,
        Command::Version(_) => version::run(call).await,
        // Not asked of one cluster: `run` and `ask` see to them.
        Command::Watch(_)
        | Command::Solo(_)
        | Command::Master(_)
        | Command::Agent(_)
        | Command::Completions(_)
        | Command::Man(_) => Ok(Outcome::Done),
        #[cfg(feature = "zookeeper")]
        Command::Zk(_) => Ok(Outcome::Done),
    }
}
