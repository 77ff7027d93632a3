//! `helios remove`.

use helios_api::wire::DeleteStatus;

use super::Call;
use crate::args::RemoveArgs;
use crate::{Failure, Outcome};

pub(super) async fn run(args: &RemoveArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let job = call.job(&args.job).await?;
    let id = &job.id;
    if !args.yes
        && !call
            .console
            .confirm(format_args!("This will remove the job {id}"))?
    {
        return Ok(Outcome::NotDone);
    }
    if !call.json {
        call.console.say(format_args!("Removing job {id}"));
    }
    let answer = call.client.delete_job(id, &args.token).await?;
    let refused = explain(answer.status).map(|why| (answer.status.as_str(), why));
    call.say_result(id.as_str(), &answer, refused)
}

fn explain(status: DeleteStatus) -> Option<&'static str> {
    match status {
        DeleteStatus::Ok => None,
        DeleteStatus::StillInUse => {
            Some("it is deployed: `helios undeploy --all` takes it off every host")
        }
        DeleteStatus::JobNotFound => Some("it is gone already"),
        DeleteStatus::Forbidden => Some("its token is another one: give it with --token"),
    }
}
