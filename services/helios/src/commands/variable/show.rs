//! What there is to see of a variable.

use helios_api::client::ListQuery;
use helios_api::wire::{Holders, ObjectiveStatus, Preview, RolloutStatus, VariableStatus, Why};
use helios_rollout::guard::{Advice, Glance, Outcome as Verdict};
use helios_rollout::variable::Change;

use super::unknown;
use crate::args::{AuditArgs, HostArgs, ListVariablesArgs};
use crate::commands::Call;
use crate::console::Tone;
use crate::output::{Cell, Table, counted, local_time};
use crate::{Console, Failure, Outcome};

pub(super) async fn list(
    args: &ListVariablesArgs,
    call: &mut Call<'_>,
) -> Result<Outcome, Failure> {
    let query = ListQuery {
        name_pattern: args.pattern.clone(),
        status: args.status.clone(),
    };
    let variables = call.client.variables(&query).await?;
    if call.json {
        call.say_document(&variables)?;
        return Ok(Outcome::Done);
    }
    let mut table = Table::new(&["VARIABLE", "VALUES", "ROLLOUT"]);
    for variable in &variables {
        let rollout = variable.rollout.as_ref();
        let state = rollout.map_or_else(|| Cell::new("-"), |rollout| Cell::new(progress(rollout)));
        table.row([variable.name.clone().into(), values(variable).into(), state]);
    }
    table.say(call.console);
    Ok(Outcome::Done)
}

pub(super) async fn one(name: &str, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let variable = call.client.variable(name).await?;
    let variable = variable.ok_or_else(|| unknown(name))?;
    if call.json {
        call.say_document(&variable)?;
        return Ok(Outcome::Done);
    }
    let console = &mut *call.console;
    console.say(format_args!(
        "{name}, {}, revision {}",
        variable.kind, variable.revision
    ));
    console.say(format_args!("hosts hold: {}", values(&variable)));
    for past in &variable.past {
        console.say(format_args!(
            "{}: {} {}, {}",
            local_time(past.ended),
            change(&past.change),
            format!("{:?}", past.outcome).to_lowercase(),
            counted(past.told, "host", "s")
        ));
    }
    if let Some(rollout) = &variable.rollout {
        console.say(format_args!("rollout: {}", progress(rollout)));
        if let Some(ends) = rollout.ends {
            console.say(format_args!("last host: {}", local_time(ends)));
        }
        if let Some(until) = rollout.baking_until {
            console.say(format_args!("watched until: {}", local_time(until)));
        }
        guard(rollout.advice.as_ref(), &rollout.objectives, console);
    }
    Ok(Outcome::Done)
}

/// What the guard of a rollout says, and what it knows.
fn guard(advice: Option<&Advice>, objectives: &[ObjectiveStatus], console: &mut Console) {
    if let Some(advice) = advice {
        console.say(format_args!("the guard says: {advice}"));
    }
    for objective in objectives {
        let (words, tone) = match objective.outcome {
            Verdict::HarmShown => ("harm shown", Tone::Bad),
            Verdict::HarmExcluded => ("harm excluded", Tone::Good),
            Verdict::NotKnown => ("not known", Tone::Pending),
        };
        let words = console.toned(words, tone);
        let (name, evidence) = (&objective.name, objective.evidence);
        let doubt = objective.doubt.as_ref();
        let doubt = doubt.map_or_else(String::new, |doubt| format!(": {doubt}"));
        console.say(format_args!(
            "guard {name}: {words} (evidence of harm {evidence}){doubt}"
        ));
        if let Some(Glance { at, new, old }) = objective.last {
            console.say(format_args!(
                "last look: {}, {} of {} with the new value, {} of {} with the old one",
                local_time(at),
                new.events,
                new.exposure,
                old.events,
                old.exposure
            ));
        }
    }
}

fn values(variable: &VariableStatus) -> String {
    if variable.hosts.is_empty() {
        return format!("{} (no hosts yet)", variable.value);
    }
    holders(&variable.hosts)
}

fn holders(hosts: &[Holders]) -> String {
    let each = hosts
        .iter()
        .map(|held| format!("{} on {}", held.value, held.hosts));
    each.collect::<Vec<_>>().join(", ")
}

fn change(change: &Change) -> String {
    match change {
        Change::Replace { from, to } => format!("from {from} to {to}"),
        Change::Mix(parts) => {
            let parts = parts
                .iter()
                .map(|part| format!("{} {}", part.share, part.value));
            format!("to {}", parts.collect::<Vec<_>>().join(", "))
        }
    }
}

fn progress(rollout: &RolloutStatus) -> String {
    let state = match (rollout.rolling_back, rollout.held_by_guard, rollout.paused) {
        (true, ..) => ", rolling back",
        (_, true, _) => ", held by its guard",
        (.., true) => ", paused",
        _ => "",
    };
    format!(
        "{}: {} of {} hosts told, curve at {}{state}",
        change(&rollout.transition.change),
        rollout.told,
        rollout.hosts,
        percent(rollout.asked)
    )
}

/// With one decimal.
fn percent(share: helios_rollout::Share) -> String {
    format!("{}.{}%", share.of_floor(100), share.of_floor(1_000) % 10)
}

async fn ask(args: &HostArgs, call: &mut Call<'_>) -> Result<Why, Failure> {
    let HostArgs { name, host } = args;
    if let Some(why) = call.client.why(name, host).await? {
        return Ok(why);
    }
    Err(match call.client.variable(name).await? {
        None => unknown(name),
        Some(_) => Failure::new(format!("no host {host:?} follows {name}"))
            .advise("`helios hosts` lists those with an agent; any other counts once it has run `helios follow`"),
    })
}

pub(super) async fn why(args: &HostArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let why = ask(args, call).await?;
    if call.json {
        call.say_document(&why)?;
        return Ok(Outcome::Done);
    }
    call.console.say(format_args!(
        "{} holds {} (revision {}): {}",
        why.host, why.value, why.revision, why.text
    ));
    if let Some(told) = why.told {
        call.console
            .say(format_args!("told at {}", local_time(told)));
    }
    guard(why.advice.as_ref(), &why.objectives, call.console);
    Ok(Outcome::Done)
}

pub(super) async fn when(args: &HostArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let why = ask(args, call).await?;
    if call.json {
        call.say_document(&why.flips)?;
        return Ok(Outcome::Done);
    }
    let host = &why.host;
    let say = |at| match at {
        Some(at) => local_time(at),
        None => "not foreseen".to_owned(),
    };
    let line = match why.told {
        Some(told) => format!("{host} was told {} at {}", why.value, local_time(told)),
        None => format!("{host} changes: {}", say(why.flips.forward)),
    };
    call.console.say(line);
    if why.flips.back.is_some() {
        let back = say(why.flips.back);
        call.console.say(format_args!("{host} goes back: {back}"));
    }
    Ok(Outcome::Done)
}

pub(super) fn preview(preview: &Preview, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    if call.json {
        call.say_document(preview)?;
        return Ok(Outcome::Done);
    }
    call.console.say(format_args!(
        "{}: {}; the curve asks for {}, real {}",
        local_time(preview.at),
        holders(&preview.hosts),
        percent(preview.asked),
        percent(preview.real)
    ));
    strata(std::slice::from_ref(preview), usize::MAX, call.console);
    Ok(Outcome::Done)
}

/// How far the strata are, a column for each point in time.
pub(super) fn strata(previews: &[Preview], max: usize, console: &mut Console) {
    let Some(first) = previews.first().filter(|first| !first.strata.is_empty()) else {
        return;
    };
    let times: Vec<String> = previews
        .iter()
        .map(|preview| local_time(preview.at))
        .collect();
    let headings: Vec<&str> = ["STRATUM", "HOSTS"]
        .into_iter()
        .chain(times.iter().map(String::as_str))
        .collect();
    let mut table = Table::new(&headings);
    for (index, stratum) in first.strata.iter().take(max).enumerate() {
        let changed = previews.iter().map(|preview| {
            let stratum = preview.strata.get(index);
            stratum
                .map_or(0, |stratum| stratum.changed)
                .to_string()
                .into()
        });
        let name = if stratum.stratum.is_empty() {
            "-"
        } else {
            &stratum.stratum
        };
        let start = [name.into(), stratum.hosts.to_string().into()];
        table.row(start.into_iter().chain(changed).collect::<Vec<Cell>>());
    }
    table.say(console);
    if let Some(more) = first.strata.len().checked_sub(max).filter(|more| *more > 0) {
        console.say(format_args!("and {more} more"));
    }
}

pub(super) async fn audit(args: &AuditArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let (name, host) = (&args.name, args.host.as_deref());
    let report = call.client.variable_audit(name, host, args.replay).await?;
    let report = report.ok_or_else(|| unknown(name))?;
    if call.json {
        call.say_document(&report)?;
    } else {
        for line in &report.lines {
            let (at, text) = (local_time(line.at), &line.text);
            call.console.say(format_args!(
                "{at}  #{} r{}  {text}",
                line.sequence, line.revision
            ));
        }
        if let Some(replayed) = report.replayed {
            let (words, tone) = if replayed {
                ("every decision comes out the same", Tone::Good)
            } else {
                (
                    "a decision does not follow from what stands before it",
                    Tone::Bad,
                )
            };
            let words = call.console.toned(words, tone);
            call.console.say(format_args!(
                "{} records made again: {words}",
                report.records
            ));
        }
    }
    Ok(if report.replayed == Some(false) {
        Outcome::NotDone
    } else {
        Outcome::Done
    })
}
