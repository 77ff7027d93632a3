//! What `rolling-update --plan` shows: the hosts in their order, before anything is changed.

use helios_api::wire::{PlanStatus, RollingUpdateRequest, RolloutPlanResponse};
use helios_core::model::JobId;

use super::{NOBODY, when_back};
use crate::args::RollingUpdateArgs;
use crate::commands::Call;
use crate::output::{counted, one_line};
use crate::{Failure, Outcome};

pub(super) async fn show(
    args: &RollingUpdateArgs,
    request: &RollingUpdateRequest,
    call: &mut Call<'_>,
) -> Result<Outcome, Failure> {
    let plan = call
        .client
        .plan_rolling_update(&args.group, request)
        .await?;
    if call.json {
        call.say_document(&plan)?;
    }
    if plan.status != PlanStatus::Ok {
        call.console
            .mention(format_args!("Failed: {}", plan.status));
        return Ok(Outcome::NotDone);
    }
    if !call.json {
        say(args, &request.job, &plan, call);
    }
    Ok(Outcome::Done)
}

fn say(args: &RollingUpdateArgs, job: &JobId, plan: &RolloutPlanResponse, call: &mut Call<'_>) {
    let hosts: usize = plan.batches.iter().map(Vec::len).sum();
    let console = &mut *call.console;
    let (group, job, batches) = (&args.group, job.short(), plan.batches.len());
    console.say(format_args!(
        "{group} -> {job}: {} in {}; nothing was changed",
        counted(hosts, "host", "s"),
        counted(batches, "batch", "es")
    ));
    for (number, batch) in plan.batches.iter().enumerate() {
        console.say(format_args!("{:5}  {}", number + 1, batch.join(", ")));
    }
    let mut list = |what: &str, hosts: &[String]| {
        if !hosts.is_empty() {
            console.say(format_args!("{what}: {}", hosts.join(", ")));
        }
    };
    list("run it already", &plan.right);
    let down = format!("down, {}", when_back(args.how.when_down));
    list(&down, &plan.down);
    list("left the group, and would be let go", &plan.leaving);
    let failing: Vec<String> = plan
        .failing
        .iter()
        .map(|failing| format!("{}: {}", failing.host, one_line(&failing.reason)))
        .collect();
    list("would fail at once", &failing);
    if hosts == 0 && plan.right.is_empty() && plan.down.is_empty() && plan.failing.is_empty() {
        console.mention(NOBODY);
    }
}
