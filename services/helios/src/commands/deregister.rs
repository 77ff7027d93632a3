//! `helios deregister`.

use helios_api::wire::DeregisterStatus;

use super::Call;
use crate::args::DeregisterArgs;
use crate::{Failure, Outcome};

pub(super) async fn run(args: &DeregisterArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let host = &args.host;
    let question = format!("This will deregister the host {host}, and undeploy all its jobs");
    if !args.yes && !call.console.confirm(question)? {
        return Ok(Outcome::NotDone);
    }
    if !call.json {
        call.console.say(format_args!("Deregistering host {host}"));
    }
    let answer = call.client.deregister_host(host).await?;
    let why = match answer.status {
        DeregisterStatus::Ok => return call.say_result(host, &answer, None),
        DeregisterStatus::NotFound => "no such host: `helios hosts` lists those there are",
        DeregisterStatus::JobsStillDeployed => "jobs are deployed on it: undeploy them first",
    };
    let outcome = call.say_result(host, &answer, Some((answer.status.as_str(), why)))?;
    if answer.status == DeregisterStatus::NotFound {
        call.suggest_hosts(host).await;
    }
    Ok(outcome)
}
