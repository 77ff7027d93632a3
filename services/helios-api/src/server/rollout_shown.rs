//! Variables and rollouts as they are shown.

use std::collections::BTreeMap;

use helios_core::Timestamp;
use helios_core::model::HostName;
use helios_rollout::audit::{AuditError, Entry, Record, State};
use helios_rollout::drive::{Course, Ledger};
use helios_rollout::guard::{Monitor, Outcome, Sight};
use helios_rollout::order::Fleet;
use helios_rollout::variable::{self, Because, Change, Step, Tell, Value, Variable, View};

use super::fault::Fault;
use super::variables::NEXT_VARIABLE;
use crate::wire::{
    AuditLine, AuditReport, Holders, ObjectiveStatus, Preview, RolloutPlan, RolloutStatus,
    StratumProgress, TurnOf, VariableStatus, Why,
};

/// How many of the first hosts a plan names.
const FIRST_MAX: usize = 10;
/// How many lines of a log are shown.
const LINES_MAX: usize = 1_000;

/// A variable that was not removed.
pub(super) fn status(ledger: &Ledger, fleet: &Fleet, now: Timestamp) -> Option<VariableStatus> {
    let variable = ledger.variable()?;
    let mut hosts: BTreeMap<Value, u64> = BTreeMap::new();
    for holding in fleet
        .members()
        .iter()
        .filter_map(|member| ledger.holding(member))
    {
        *hosts.entry(holding.value.clone()).or_default() += 1;
    }
    Some(VariableStatus {
        name: variable.name().to_owned(),
        kind: variable.kind(),
        allowed: variable.allowed().to_vec(),
        revision: variable.revision(),
        value: variable.held().base().clone(),
        hosts: holders(hosts),
        rollout: ledger.state().and_then(|state| rollout(state, now)),
        past: ledger.record().past.clone(),
    })
}

/// Whether a variable is on its way to other hosts.
pub(super) fn phase(variable: &Variable) -> &'static str {
    match variable.running() {
        Some(running) if running.is_paused() => "paused",
        Some(_) => "rolling",
        None => "settled",
    }
}

fn rollout(state: &State, now: Timestamp) -> Option<RolloutStatus> {
    let running = state.variable.running()?;
    let view = state.view().ok()?;
    Some(RolloutStatus {
        transition: running.transition.clone(),
        accepted: running.accepted,
        paused: running.is_paused(),
        held_by_guard: state.held_by_guard,
        rolling_back: running.rollback.is_some(),
        asked: view.share_at(now),
        hosts: taking_part(&view, now),
        told: running.told.len() as u64,
        ends: ends(state, &view, running.rollback.is_some()),
        baking_until: state
            .monitor
            .as_ref()
            .and_then(|monitor| monitor.baking_until()),
        advice: state.advice.clone(),
        objectives: objectives(state.monitor.as_ref()),
    })
}

/// What a guard knows of each objective.
pub(super) fn objectives(monitor: Option<&Monitor>) -> Vec<ObjectiveStatus> {
    let pairs = monitor
        .into_iter()
        .flat_map(|monitor| monitor.outcomes().zip(monitor.sights()));
    let objective =
        |((name, outcome, evidence), (_, sight)): ((&str, Outcome, u64), (_, &Sight))| {
            let doubt = (outcome == Outcome::NotKnown).then(|| sight.doubt());
            ObjectiveStatus {
                name: name.to_owned(),
                outcome,
                evidence,
                last: sight.last,
                doubt,
            }
        };
    pairs.map(objective).collect()
}

fn taking_part(view: &View<'_>, now: Timestamp) -> u64 {
    let strata = view.preview(now).strata;
    strata.iter().map(|stratum| stratum.hosts).sum()
}

/// When the last host's turn comes; `None` if that cannot be foreseen, as in a pause.
fn ends(state: &State, view: &View<'_>, back: bool) -> Option<Timestamp> {
    let hosts = state.fleet.members().iter();
    let turns = hosts.map(|member| view.flips_at(member.host.as_str()));
    let turns = turns.map(|flips| if back { flips.back } else { flips.forward });
    turns.flatten().max()
}

/// What a transition that was only started in thought would do.
pub(super) fn plan(state: &State) -> Result<RolloutPlan, Fault> {
    let refused = |error: AuditError| Fault::bad(error, NEXT_VARIABLE);
    let view = state.view().map_err(refused)?;
    let running = state.variable.running();
    let start = running.map_or(Timestamp::default(), |running| {
        running.transition.curve.start
    });
    let mut turns: Vec<TurnOf> = state
        .fleet
        .members()
        .iter()
        .filter_map(|member| {
            let at = view.flips_at(member.host.as_str()).forward?;
            let host = member.host.clone();
            Some(TurnOf { host, at })
        })
        .collect();
    turns.sort_by(|a, b| (a.at, &a.host).cmp(&(b.at, &b.host)));
    let ends = turns.last().map(|turn| turn.at);
    let after = |percent: u32| {
        let length = ends.map_or(0, |end| end.as_millis() - start.as_millis());
        let at = start.as_millis() + length / 100 * i64::from(percent);
        let at = ends
            .filter(|_| percent == 100)
            .unwrap_or(Timestamp::from_millis(at));
        preview(&view, at)
    };
    let previews = [0, 10, 50, 100].map(after).to_vec();
    Ok(RolloutPlan {
        hosts: taking_part(&view, start),
        ends,
        course: Course::planned(state).map_err(refused)?,
        first: turns.into_iter().take(FIRST_MAX).collect(),
        previews,
    })
}

/// How many hosts hold what at a time, by the rollout that runs.
pub(super) fn preview_of(
    ledger: &Ledger,
    fleet: &Fleet,
    at: Timestamp,
) -> Result<Option<Preview>, Fault> {
    with_view(ledger, fleet, |view| Some(preview(view, at)))
}

fn preview(view: &View<'_>, at: Timestamp) -> Preview {
    let variable::Preview {
        at,
        asked,
        real,
        values,
        strata,
    } = view.preview(at);
    let strata = strata.into_iter().map(|stratum| StratumProgress {
        stratum: stratum.path.join("/"),
        hosts: stratum.hosts,
        changed: stratum.changed,
    });
    Preview {
        at,
        asked,
        real,
        hosts: holders(values),
        strata: strata.collect(),
    }
}

/// Why a host holds what it holds; `None` if nobody knows it.
pub(super) fn why(
    ledger: &Ledger,
    fleet: &Fleet,
    host: &HostName,
    now: Timestamp,
) -> Result<Option<Why>, Fault> {
    let explanation = with_view(ledger, fleet, |view| view.explain(host.as_str(), now))?;
    let member = ledger
        .state()
        .and_then(|state| state.fleet.get(host.as_str()));
    let member = member.or_else(|| fleet.get(host.as_str()));
    let held = member.and_then(|member| ledger.holding(member));
    let told = ledger.told(host);
    Ok(explanation.zip(held).map(|(explanation, held)| {
        // Who was told holds it for the reason of that time, whoever has come and gone since.
        let because = told.map_or(explanation.because, |(_, because)| because.clone());
        Why {
            host: host.clone(),
            value: held.value.clone(),
            text: because.to_string(),
            because,
            told: told.map(|(at, _)| at),
            flips: explanation.flips,
            revision: explanation.revision,
            advice: ledger.state().and_then(|state| state.advice.clone()),
            objectives: objectives(ledger.state().and_then(|state| state.monitor.as_ref())),
        }
    }))
}

/// The view of the rollout that runs, over its own fleet; else that of the settled variable over all hosts.
fn with_view<T>(
    ledger: &Ledger,
    fleet: &Fleet,
    ask: impl FnOnce(&View<'_>) -> Option<T>,
) -> Result<Option<T>, Fault> {
    let view = match ledger.state() {
        Some(state) => state
            .view()
            .map_err(|error| Fault::bad(error, NEXT_VARIABLE))?,
        None => {
            let Some(variable) = ledger.variable() else {
                return Ok(None);
            };
            variable
                .on(fleet)
                .map_err(|error| Fault::bad(error, NEXT_VARIABLE))?
        }
    };
    Ok(ask(&view))
}

fn holders(hosts: impl IntoIterator<Item = (Value, u64)>) -> Vec<Holders> {
    let holders = hosts
        .into_iter()
        .map(|(value, hosts)| Holders { value, hosts });
    holders.collect()
}

/// A log in words; with a host, only what it was told.
pub(super) fn audit(
    log: &[Record],
    host: Option<&HostName>,
    replayed: Option<bool>,
) -> AuditReport {
    let first = log
        .first()
        .zip(host)
        .and_then(|(record, host)| mark(record, host));
    let lines = log.iter().filter_map(|record| {
        Some(AuditLine {
            sequence: record.sequence,
            at: record.at,
            revision: record.revision,
            text: words(&record.entry, host)?,
        })
    });
    let mut lines: Vec<AuditLine> = first.into_iter().chain(lines).collect();
    lines.drain(..lines.len().saturating_sub(LINES_MAX));
    AuditReport {
        records: log.len() as u64,
        replayed,
        lines,
    }
}

/// What a host was told last before a checkpoint.
fn mark(checkpoint: &Record, host: &HostName) -> Option<AuditLine> {
    let Entry::Checkpoint(state) = &checkpoint.entry else {
        return None;
    };
    let mark = state.marks.get(host)?;
    Some(AuditLine {
        sequence: mark.sequence,
        at: mark.at,
        revision: mark.revision,
        text: told(host, &mark.value, &mark.because),
    })
}

fn told(host: &HostName, value: &Value, because: &Because) -> String {
    format!("{host} was told {value}: {because}")
}

fn told_many(step: &Step) -> String {
    let is_back = |tell: &&Tell| matches!(tell.because, Because::RolledBack(_));
    let (count, back) = (step.tells.len(), step.tells.iter().filter(is_back).count());
    let named = if count == 1 { "host was" } else { "hosts were" };
    let to = step.tells.first().map(|tell| tell.value.to_string());
    let way = if back > count - back { " again" } else { "" };
    let (to, share) = (to.unwrap_or_default(), step.share.rounded());
    format!("{count} {named} told {to}{way}, at {share} of the curve")
}

fn words(entry: &Entry, host: Option<&HostName>) -> Option<String> {
    let text = match (entry, host) {
        (Entry::Told { step, .. }, Some(host)) => {
            let tell = step.tells.iter().find(|tell| tell.host == *host)?;
            told(host, &tell.value, &tell.because)
        }
        (_, Some(_)) => return None,
        (Entry::Told { step, .. }, None) => told_many(step),
        (Entry::Checkpoint(state), None)
            if state.tells > 0 || state.variable.running().is_some() =>
        {
            format!(
                "what happened before is rolled up: {} records, in which hosts were told {} times",
                state.records, state.tells
            )
        }
        (Entry::Checkpoint(_), None) => "the log begins".to_owned(),
        (Entry::Members { joined, left }, None) => {
            format!(
                "{} hosts joined or changed, {} left",
                joined.len(),
                left.len()
            )
        }
        (Entry::Started { transition, .. }, None) => match &transition.change {
            Change::Replace { from, to } => format!("the rollout from {from} to {to} was started"),
            Change::Mix(_) => "the rollout to a mix of values was started".to_owned(),
        },
        (Entry::Paused, None) => "paused".to_owned(),
        (Entry::Resumed, None) => "resumed".to_owned(),
        (Entry::Held, None) => "held by the guard".to_owned(),
        (Entry::Released, None) => "released by the guard".to_owned(),
        (Entry::RolledBack { .. }, None) => "turned round: the last told go back first".to_owned(),
        (Entry::Aborted, None) => "aborted: every host keeps what it has".to_owned(),
        (Entry::Finished, None) => "finished".to_owned(),
        (
            Entry::Looked {
                objective,
                evidence,
                fallen,
            },
            None,
        ) => format!(
            "{objective}: {} of {} with the new value, {} of {} with the old one{}",
            evidence.new.events,
            evidence.new.exposure,
            evidence.old.events,
            evidence.old.exposure,
            if fallen.is_empty() {
                String::new()
            } else {
                format!("; {} hosts went wrong", fallen.len())
            }
        ),
        (Entry::Missed { objective, because }, None) => format!("{objective}: {because}"),
        (Entry::Advised { advice }, None) => format!("the guard says: {advice}"),
        (_, None) => format!("{entry:?}"),
    };
    Some(text)
}
