//! `helios deploy`.

use helios_api::wire::DeployStatus;
use helios_core::model::{Deployment, Goal};

mod watch;

use super::Call;
use crate::args::DeployArgs;
use crate::{Failure, Outcome};

pub(super) async fn run(args: &DeployArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let job = call.job(&args.job).await?;
    let hosts = call.hosts(&args.hosts).await?;
    let goal = if args.no_start {
        Goal::Stop
    } else {
        Goal::Start
    };
    let deployment = Deployment::new(job.id.clone(), goal);
    if !call.json {
        let (id, on) = (&job.id, hosts.join(", "));
        call.console
            .say(format_args!("Deploying {id} on [{on}] with goal {goal}"));
    }
    let mut outcome = Outcome::Done;
    for host in &hosts {
        let answer = call.client.deploy(host, &deployment, &args.token).await?;
        let refused = explain(answer.status).map(|why| (answer.status.as_str(), why));
        outcome = outcome.and(call.say_result(host, &answer, refused)?);
        if answer.status == DeployStatus::HostNotFound && !call.json {
            call.suggest_hosts(host).await;
        }
    }
    if args.watch && outcome == Outcome::Done {
        return watch::until_settled(&job.id, &hosts, goal, args.interval, call).await;
    }
    Ok(outcome)
}

fn explain(status: DeployStatus) -> Option<&'static str> {
    match status {
        DeployStatus::Ok => None,
        DeployStatus::JobNotFound => Some("the job is gone: create it again"),
        DeployStatus::PortConflict => {
            Some("another job on the host has one of its ports: `helios status --host` shows which")
        }
        DeployStatus::HostNotFound => Some("no such host: `helios hosts` lists those there are"),
        DeployStatus::JobAlreadyDeployed => {
            Some("it is deployed there: `helios start` and `helios stop` change its goal")
        }
        DeployStatus::IdMismatch
        | DeployStatus::InvalidId
        | DeployStatus::AmbiguousJobReference => {
            Some("the master does not take this id: give it in full, as `helios jobs -q` prints it")
        }
        DeployStatus::Forbidden => Some("the job's token is another one: give it with --token"),
    }
}
