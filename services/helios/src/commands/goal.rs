//! `helios start` and `helios stop`.

use helios_api::wire::SetGoalStatus;
use helios_core::model::{Deployment, Goal};

use super::Call;
use crate::args::GoalArgs;
use crate::{Failure, Outcome};

pub(super) async fn run(
    goal: Goal,
    args: &GoalArgs,
    call: &mut Call<'_>,
) -> Result<Outcome, Failure> {
    let job = call.job(&args.job).await?;
    let deployment = Deployment::new(job.id.clone(), goal);
    if !call.json {
        let doing = if goal == Goal::Start {
            "Starting"
        } else {
            "Stopping"
        };
        let (id, on) = (&job.id, args.hosts.join(", "));
        call.console.say(format_args!("{doing} {id} on [{on}]"));
    }
    let mut outcome = Outcome::Done;
    for host in &args.hosts {
        let answer = call.client.set_goal(host, &deployment, &args.token).await?;
        let refused = explain(answer.status).map(|why| (answer.status.as_str(), why));
        outcome = outcome.and(call.say_result(host, &answer, refused)?);
        if answer.status == SetGoalStatus::HostNotFound && !call.json {
            call.suggest_hosts(host).await;
        }
    }
    Ok(outcome)
}

fn explain(status: SetGoalStatus) -> Option<&'static str> {
    match status {
        SetGoalStatus::Ok => None,
        SetGoalStatus::JobNotFound | SetGoalStatus::JobNotDeployed => {
            Some("it is not deployed there: `helios deploy` does that")
        }
        SetGoalStatus::HostNotFound => Some("no such host: `helios hosts` lists those there are"),
        SetGoalStatus::IdMismatch | SetGoalStatus::InvalidId => {
            Some("the master does not take this id: give it in full, as `helios jobs -q` prints it")
        }
        SetGoalStatus::Forbidden => Some("the job's token is another one: give it with --token"),
    }
}
