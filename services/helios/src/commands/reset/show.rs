//! What there is to see of a reset.

use std::time::Duration;

use helios_api::client::ListQuery;
use helios_api::wire::{ResetStatus, ServiceReport};
use helios_core::model::HostName;
use helios_rollout::guard::{Counts, Outcome as Judgement};
use helios_rollout::reset::{Counted, Ending, Forecast, Reset, Stage, Verdict};

use super::unknown;
use crate::args::{ListResetsArgs, ResetAuditArgs};
use crate::commands::Call;
use crate::console::Tone;
use crate::output::{Cell, Table, ago, counted, duration, local_time, one_line};
use crate::{Failure, Outcome};

/// How many hosts of one round a plan names.
const NAMED_MAX: usize = 8;

/// What a reset will do, before it does.
pub(super) fn plan(reset: &Reset, forecast: &Forecast, call: &mut Call<'_>) {
    let console = &mut *call.console;
    let hosts = forecast.line.len();
    if hosts == 0 {
        console.say(format_args!(
            "{}: every host is as wanted already",
            reset.name
        ));
        return;
    }
    console.say(format_args!(
        "{}: {}, at most {} at once, in {} of about {}",
        reset.name,
        counted(hosts, "host", "s"),
        forecast.width,
        counted(forecast.rounds, "round", "s"),
        duration(forecast.per_host)
    ));
    if let Some(ends) = forecast.ends {
        console.say(format_args!(
            "over at {}, {} before the deadline",
            local_time(ends),
            duration(reset.deadline.since(ends))
        ));
    }
    for (number, round) in forecast.first.iter().enumerate() {
        let when = if number == 0 { "first" } else { "then" };
        console.say(format_args!("{when}: {}", named(round)));
    }
    for waived in &reset.limits.waived {
        console.say(format_args!(
            "waived: {waived} will go below its minimum, which stops nothing"
        ));
    }
}

fn named(hosts: &[HostName]) -> String {
    let names = hosts.iter().take(NAMED_MAX).map(HostName::as_str);
    let mut names = names.collect::<Vec<_>>().join(", ");
    if let Some(more) = hosts.len().checked_sub(NAMED_MAX).filter(|more| *more > 0) {
        names.push_str(&format!(" and {more} more"));
    }
    names
}

pub(super) async fn list(args: &ListResetsArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let query = ListQuery {
        name_pattern: args.pattern.clone(),
        status: args.status.clone(),
    };
    let resets = call.client.resets(&query).await?;
    if call.json {
        call.say_document(&resets)?;
        return Ok(Outcome::Done);
    }
    let mut table = Table::new(&[
        "RESET", "BEGAN", "DEADLINE", "DONE", "AWAY", "WRONG", "STATE",
    ]);
    for reset in &resets {
        table.row([
            reset.name.clone().into(),
            local_time(reset.created).into(),
            local_time(reset.deadline).into(),
            reset.done.to_string().into(),
            reset.away.to_string().into(),
            reset.mishaps.to_string().into(),
            stage(&reset.stage),
        ]);
    }
    table.say(call.console);
    Ok(Outcome::Done)
}

/// What a stage is called, without what led to it.
pub(super) fn stage(stage: &Stage) -> Cell {
    let (text, tone) = match stage {
        Stage::Running => ("running", Tone::Good),
        Stage::Paused => ("paused", Tone::Pending),
        Stage::Halted(_) => ("halted", Tone::Bad),
        Stage::Aborting => ("being aborted", Tone::Pending),
        Stage::Ended(Ending::Done) => ("done", Tone::Plain),
        Stage::Ended(Ending::Aborted) => ("aborted", Tone::Plain),
    };
    Cell::new(text).tone(tone)
}

pub(super) async fn status(name: &str, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let status = call.client.reset(name).await?;
    let status = status.ok_or_else(|| unknown(name))?;
    if call.json {
        call.say_document(&status)?;
        return Ok(Outcome::Done);
    }
    tell(&status, call);
    Ok(Outcome::Done)
}

fn tell(status: &ResetStatus, call: &mut Call<'_>) {
    let now = call.now;
    let console = &mut *call.console;
    console.say(format_args!("{}: {}", status.name, status.stage));
    console.say(counts(status));
    console.say(forecast(status));
    for held in &status.waiting {
        console.say(format_args!("{} hosts wait: {}", held.hosts, held.because));
    }
    for (service, since) in &status.below {
        let service = console.toned(service, Tone::Bad);
        console.say(format_args!(
            "{service} is below its minimum since {}",
            ago(*since, now)
        ));
    }
    for objective in &status.objectives {
        console.say(self::objective(&objective.name, objective.outcome));
    }
    if !status.away.is_empty() {
        let mut table = Table::new(&["HOST", "PHASE", "SINCE", "CHOSEN"]);
        for (host, away) in &status.away {
            table.row([
                host.as_str().into(),
                Cell::new(away.phase.as_str()).tone(Tone::Pending),
                ago(away.since, now).into(),
                ago(away.chosen, now).into(),
            ]);
        }
        table.say(console);
    }
    if !status.mishaps.is_empty() {
        let mut table = Table::new(&["HOST", "WENT WRONG", "WHILE", "BECAUSE"]);
        for (host, mishap) in &status.mishaps {
            let what = if mishap.lost { "lost" } else { "failed" };
            table.row([
                host.as_str().into(),
                Cell::new(what).tone(Tone::Bad),
                mishap.phase.as_str().into(),
                one_line(&mishap.because.to_string()).into(),
            ]);
        }
        table.say(console);
    }
}

/// How many hosts are where.
pub(super) fn counts(status: &ResetStatus) -> String {
    let mut parts = vec![format!("{} done", status.done)];
    let counts = [
        (status.away.len() as u64, "away"),
        (status.due, "to come"),
        (status.mishaps.len() as u64, "went wrong"),
        (status.left, "deregistered meanwhile"),
    ];
    let counts = counts.iter().filter(|(hosts, _)| *hosts > 0);
    parts.extend(counts.map(|(hosts, what)| format!("{hosts} {what}")));
    parts.join(", ")
}

/// When it will be over.
pub(super) fn forecast(status: &ResetStatus) -> String {
    let deadline = local_time(status.deadline);
    let per_host = duration(Duration::from_millis(status.per_host_millis));
    match status.ends {
        _ if matches!(status.stage, Stage::Ended(_)) => format!("the deadline was {deadline}"),
        None => format!("nobody can say when it is over; the deadline is {deadline}"),
        Some(ends) if status.in_time => format!(
            "over at {} with {per_host} for each host; the deadline is {deadline}",
            local_time(ends)
        ),
        Some(ends) => format!(
            "over at {} with {per_host} for each host: too late for the deadline, {deadline}",
            local_time(ends)
        ),
    }
}

fn objective(name: &str, outcome: Judgement) -> String {
    let words = match outcome {
        Judgement::HarmShown => "harm shown",
        Judgement::HarmExcluded => "harm excluded",
        Judgement::NotKnown => "not known",
    };
    format!("objective {name}: {words}")
}

pub(super) async fn report(name: &str, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let report = call.client.reset_report(name).await?;
    let report = report.ok_or_else(|| unknown(name))?;
    if call.json {
        call.say_document(&report)?;
        return Ok(Outcome::Done);
    }
    call.console.say(format_args!("{name}: {}", report.stage));
    for objective in &report.objectives {
        call.console
            .say(self::objective(&objective.name, objective.outcome));
    }
    let mut table = Table::new(&[
        "SERVICE",
        "HOSTS AWAY",
        "FEWEST WELL",
        "OF",
        "MINIMUM",
        "VERDICT",
    ]);
    for service in &report.services {
        table.row([
            service.service.clone().into(),
            service.hosts.to_string().into(),
            service.healthy.to_string().into(),
            service.instances.to_string().into(),
            service.minimum.to_string().into(),
            verdict(service),
        ]);
    }
    table.say(call.console);
    for service in &report.services {
        for (objective, counted) in &service.objectives {
            let line = counted_line(&service.service, objective, counted);
            let is_worse = service.worse.contains(objective);
            let tone = if is_worse { Tone::Bad } else { Tone::Plain };
            let line = call.console.toned(&line, tone);
            call.console.say(line);
        }
    }
    Ok(Outcome::Done)
}

/// What an objective counted on the hosts of a service that were there.
fn counted_line(service: &str, objective: &str, counted: &Counted) -> String {
    let of = |counts: Counts| format!("{} of {}", counts.events, counts.exposure);
    format!(
        "{service}: {objective} counted {} while one of its hosts was away, {} while none was",
        of(counted.away),
        of(counted.whole)
    )
}

pub(super) async fn audit(args: &ResetAuditArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let name = &args.name;
    let audit = call.client.reset_audit(name, args.host.as_deref()).await?;
    let audit = audit.ok_or_else(|| unknown(name))?;
    if call.json {
        call.say_document(&audit)?;
        return Ok(Outcome::Done);
    }
    for line in &audit.lines {
        let (at, text) = (local_time(line.at), one_line(&line.text));
        let (sequence, by) = (line.sequence, &line.by);
        call.console
            .say(format_args!("{at}  #{sequence} {by}  {text}"));
    }
    Ok(Outcome::Done)
}

fn verdict(service: &ServiceReport) -> Cell {
    let while_away = || {
        format!(
            "while {} was away, at {}",
            service.host,
            local_time(service.at)
        )
    };
    match service.verdict {
        Verdict::WasDown => Cell::new(format!("was down {}", while_away())).tone(Tone::Bad),
        Verdict::BelowMinimum => {
            Cell::new(format!("below its minimum {}", while_away())).tone(Tone::Pending)
        }
        Verdict::Robust if !service.worse.is_empty() => {
            let worse = service.worse.join(", ");
            Cell::new(format!("got worse while a host was away: {worse}")).tone(Tone::Bad)
        }
        Verdict::Robust => Cell::new("robust").tone(Tone::Good),
    }
}
