//! `helios variable rollout`: the plan first, then the start.

use helios_api::ClientError;
use helios_api::wire::RolloutPlan;

use super::{chart, request, show, unknown};
use crate::args::RolloutArgs;
use crate::commands::Call;
use crate::output::{counted, duration, local_time};
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
        Err(error) => return Err(refusal(error)),
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

/// What the master says; where it does not say what to do next, where to look.
fn refusal(error: ClientError) -> Failure {
    let failure = Failure::from(error);
    match failure.advice() {
        Some(_) => failure,
        None => failure.advise("`helios variable show` shows how it is, `--help` what can be said"),
    }
}

fn tell(name: &str, plan: &RolloutPlan, call: &mut Call<'_>) {
    let start = plan.previews.first().map(|preview| preview.at);
    let (Some(start), Some(end)) = (start, plan.ends) else {
        call.console.say(format_args!("{name}: no host takes part"));
        return;
    };
    call.console.say(format_args!(
        "{name}: {}, from {} to {} ({})",
        counted(plan.hosts, "host", "s"),
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
