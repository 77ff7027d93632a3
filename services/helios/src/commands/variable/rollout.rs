//! `helios variable rollout`: the plan first, then the start.

use helios_api::wire::RolloutPlan;

use super::{chart, is_refusal, request, show, unknown};
use crate::args::RolloutArgs;
use crate::commands::Call;
use crate::output::{duration, local_time};
use crate::{Failure, Outcome};

/// How many strata a plan shows.
const STRATA_MAX: usize = 12;

pub(super) async fn run(args: &RolloutArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let name = &args.name;
    let variable = call.client.variable(name).await?;
    let variable = variable.ok_or_else(|| unknown(name))?;
    let request = request::request(args, &variable, call.now)?;
    let plan = match call.client.plan_rollout(name, &request).await {
        Ok(plan) => plan,
        Err(error) if is_refusal(&error) => {
            return Err(
                Failure::new(format!("{name} cannot be rolled out like that"))
                    .caused_by(error)
                    .advise("`helios variable show` shows how it is, and docs/variables.md what a rollout needs"),
            );
        }
        Err(error) => return Err(error.into()),
    };
    if args.dry_run && call.json {
        call.say_document(&plan)?;
        return Ok(Outcome::Done);
    }
    if !call.json {
        tell(name, &plan, call);
    }
    if args.dry_run {
        return Ok(Outcome::Done);
    }
    if !args.yes
        && !call
            .console
            .confirm(format_args!("This will start the rollout of {name}"))?
    {
        return Ok(Outcome::NotDone);
    }
    call.client.start_rollout(name, &request).await?;
    call.say_result(name, &"OK", None)
}

fn tell(name: &str, plan: &RolloutPlan, call: &mut Call<'_>) {
    let start = plan.previews.first().map(|preview| preview.at);
    let (Some(start), Some(end)) = (start, plan.ends) else {
        call.console.say(format_args!("{name}: no host takes part"));
        return;
    };
    call.console.say(format_args!(
        "{name}: {} hosts, from {} to {} ({})",
        plan.hosts,
        local_time(start),
        local_time(end),
        duration(end.since(start))
    ));
    chart::in_terminal(&plan.course, call.now, call.console);
    if let Some(first) = plan.first.first() {
        let hosts = plan.first.iter().take_while(|turn| turn.at == first.at);
        let hosts: Vec<&str> = hosts.map(|turn| turn.host.as_str()).collect();
        call.console.say(format_args!(
            "first, at {}: {}",
            local_time(first.at),
            hosts.join(", ")
        ));
    }
    show::strata(&plan.previews, STRATA_MAX, call.console);
}
