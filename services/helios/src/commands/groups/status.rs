//! `helios deployment-group-status` and `watch-deployment-group`.

use std::time::Duration;

use helios_api::wire::{DeploymentGroupStatusResponse, GroupStatus, RolloutProgress};
use helios_core::model::{JobId, TaskState};
use tokio::time::sleep;

use super::progress::summary;
use super::unknown;
use crate::args::{GroupStatusArgs, WatchGroupArgs};
use crate::commands::Call;
use crate::console::Tone;
use crate::output::{Cell, Table, one_line, relative_host};
use crate::{Failure, Outcome};

/// The steps of a rollout that are shown.
const STEPS_SHOWN: usize = 3;

pub(in crate::commands) async fn status(
    args: &GroupStatusArgs,
    call: &mut Call<'_>,
) -> Result<Outcome, Failure> {
    let Some(status) = call.client.deployment_group_status(&args.name).await? else {
        return unknown(&args.name, call);
    };
    if call.json {
        call.say_document(&status)?;
    } else {
        show(&status, args.full, call);
    }
    Ok(Outcome::Done)
}

/// Shows the group again and again, until there is none of that name or nobody reads it any more.
pub(in crate::commands) async fn watch(
    args: &WatchGroupArgs,
    call: &mut Call<'_>,
) -> Result<Outcome, Failure> {
    if !call.json {
        call.console.say("Control-C to stop");
        call.console
            .say(format_args!("{:20} {:30} STATE", "STATUS", "HOST"));
    }
    loop {
        if !call.json {
            let time = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S");
            call.console
                .say(format_args!("{} [{time} UTC]", "-".repeat(54)));
        }
        match status(&args.status, call).await {
            Ok(Outcome::Done) => {}
            Ok(Outcome::NotDone) => return Ok(Outcome::Done),
            // People watch most closely when things break.
            Err(failure) => call.console.complain(&failure),
        }
        call.console.flush();
        if call.console.is_closed() {
            return Ok(Outcome::Done);
        }
        sleep(Duration::from_secs(args.interval)).await;
    }
}

fn show(status: &DeploymentGroupStatusResponse, full: bool, call: &mut Call<'_>) {
    let group = &status.deployment_group;
    let job_id = |job: &JobId| if full { job.to_string() } else { job.short() };
    let console = &mut *call.console;
    console.say(format_args!("Name: {}", group.name));
    let job = group.job_id.as_ref().map_or("null".to_owned(), job_id);
    console.say(format_args!("Job Id: {job}"));
    let tone = match status.status {
        GroupStatus::Active => Tone::Good,
        GroupStatus::RollingOut => Tone::Pending,
        GroupStatus::Failed => Tone::Bad,
        GroupStatus::Idle => Tone::Plain,
    };
    let state = console.toned(status.status.as_str(), tone);
    console.say(format_args!("Status: {state}"));
    console.say("Host selectors:");
    for selector in &group.host_selectors {
        console.say(format_args!("  {selector}"));
    }
    if let Some(error) = status.error.as_ref().filter(|error| !error.is_empty()) {
        console.say(format_args!("Error: {}", one_line(error)));
    }
    if let Some(progress) = &status.rollout {
        show_progress(progress, call);
    }
    call.console.say("");
    let mut table = Table::new(&["HOST", "UP-TO-DATE", "JOB", "STATE"]);
    for host in &status.host_statuses {
        let current = host.job_id.is_some() && host.job_id == group.job_id;
        let tone = match host.state {
            Some(TaskState::Running) => Tone::Good,
            Some(TaskState::Failed | TaskState::Exited) => Tone::Bad,
            _ => Tone::Pending,
        };
        let name = if full {
            host.host.clone()
        } else {
            relative_host(&host.host, call.environment.search_domains())
        };
        table.row([
            name.into(),
            if current { "X" } else { "" }.into(),
            host.job_id.as_ref().map_or("-".to_owned(), job_id).into(),
            Cell::new(host.state.map_or("-", TaskState::as_str)).tone(tone),
        ]);
    }
    table.say(call.console);
}

fn show_progress(progress: &RolloutProgress, call: &mut Call<'_>) {
    let console = &mut *call.console;
    console.say(format_args!("Rollout: {}", summary(progress)));
    for flight in &progress.in_flight {
        console.say(format_args!(
            "  {}: {}",
            flight.host,
            one_line(&flight.because)
        ));
    }
    for failed in &progress.failed {
        let reason = if failed.reason.is_empty() {
            failed.code.as_str()
        } else {
            &failed.reason
        };
        console.say(format_args!(
            "  {}: {}",
            failed.host,
            console.toned(&one_line(reason), Tone::Bad)
        ));
    }
    let skipped = progress.steps.len().saturating_sub(STEPS_SHOWN);
    for step in progress.steps.iter().skip(skipped) {
        let line = console.toned(&one_line(&step.text), Tone::Faint);
        console.say(format_args!("  {line}"));
    }
}
