//! `helios undeploy`.

use helios_api::wire::UndeployStatus;

use super::Call;
use crate::args::UndeployArgs;
use crate::{Failure, Outcome};

pub(super) async fn run(args: &UndeployArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let job = call.job(&args.job).await?;
    let id = &job.id;
    let hosts = if args.all {
        let status = call.client.job_status(id).await?;
        let deployed = status.map(|status| status.deployments).unwrap_or_default();
        if deployed.is_empty() {
            call.console
                .mention(format_args!("{id} is not deployed on any host"));
            return Ok(Outcome::Done);
        }
        let hosts: Vec<String> = deployed.into_keys().collect();
        let question = format!("This will undeploy {id} from [{}]", hosts.join(", "));
        if !args.yes && !call.console.confirm(question)? {
            return Ok(Outcome::NotDone);
        }
        hosts
    } else if args.hosts.is_empty() {
        return Err(Failure::new("undeploy needs to know from which hosts")
            .advise("name the hosts, or say --all"));
    } else {
        args.hosts.clone()
    };
    let hosts = call.hosts(&hosts).await?;
    if !call.json {
        let from = hosts.join(", ");
        call.console
            .say(format_args!("Undeploying {id} from [{from}]"));
    }
    let mut outcome = Outcome::Done;
    for host in &hosts {
        let answer = call.client.undeploy(host, id, &args.token).await?;
        let refused = explain(answer.status).map(|why| (answer.status.as_str(), why));
        outcome = outcome.and(call.say_result(host, &answer, refused)?);
        if answer.status == UndeployStatus::HostNotFound && !call.json {
            call.suggest_hosts(host).await;
        }
    }
    Ok(outcome)
}

fn explain(status: UndeployStatus) -> Option<&'static str> {
    match status {
        UndeployStatus::Ok => None,
        UndeployStatus::JobNotFound => {
            Some("it is not deployed there: `helios status --job` shows where it is")
        }
        UndeployStatus::HostNotFound => Some("no such host: `helios hosts` lists those there are"),
        UndeployStatus::InvalidId => {
            Some("the master does not take this id: give it in full, as `helios jobs -q` prints it")
        }
        UndeployStatus::Forbidden => Some("the job's token is another one: give it with --token"),
    }
}
