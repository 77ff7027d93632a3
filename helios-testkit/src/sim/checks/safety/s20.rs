//! S20: the limits of a reset.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use helios_core::{HostName, JobId};
use helios_rollout::reset::{Action, Phase};

use super::super::super::trace::{Actor, Event, Fleet, What};
use super::super::resets::{Hosts, Known, Turn, turns};
use super::{Check, Verdicts, check};

/// How long after it was taken back an order may still be carried out: it was on its way.
const ON_ITS_WAY: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct ResetLimits {
    hosts: Hosts,
    /// The orders to reset a host, and when each was taken back.
    orders: BTreeMap<String, Option<Duration>>,
    carried_out: BTreeSet<String>,
}

impl Check for ResetLimits {
    check!(
        ResetLimits,
        "S20",
        "a reset takes away no more hosts than it may and no service below its minimum, resets each once and only when it is empty, and counts it until it is back"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        let wrong = match &event.what {
            What::Reset { order } => self.carried_out(fleet, event, order),
            What::Commit { writes, .. } => {
                self.hosts.see(event.at, writes);
                let wrong = turns(writes).find_map(|turn| {
                    self.too_many(&turn, event.at)
                        .or_else(|| self.too_few(&turn, event.at))
                        .or_else(|| self.not_back(&turn))
                });
                for turn in turns(writes) {
                    self.learn(&turn, event.at);
                }
                wrong
            }
            _ => None,
        };
        if let Some(wrong) = wrong {
            verdicts.violated([event.actor], wrong);
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}

impl ResetLimits {
    /// More hosts are away than may, when one more was chosen.
    fn too_many(&self, turn: &Turn<'_>, now: Duration) -> Option<String> {
        turn.chosen().next()?;
        let limits = &turn.is.reset.limits;
        let away = self.hosts.away(turn.name, turn.is);
        let (name, count) = (turn.name, away.len() as u64);
        if count > limits.at_once {
            let may = limits.at_once;
            return Some(format!(
                "reset {name} has {count} hosts away, and {may} may"
            ));
        }
        limits.groups.iter().find_map(|limit| {
            let mut values: BTreeMap<&str, [u64; 3]> = BTreeMap::new();
            for (host, known) in &self.hosts.0 {
                let value = known.labels.get(&limit.label).map_or("", String::as_str);
                let [all, gone, serving] = values.entry(value).or_default();
                let is_away = away.contains(host.as_str());
                *all += 1;
                *gone += u64::from(is_away);
                *serving += u64::from(!is_away && known.seemed_up(now));
            }
            let chosen = turn.chosen().filter_map(|host| self.known(host));
            let chosen = chosen.map(|known| known.labels.get(&limit.label));
            let chosen: BTreeSet<&str> = chosen
                .map(|value| value.map_or("", String::as_str))
                .collect();
            let wrong = values.into_iter().find(|(value, [all, gone, serving])| {
                let is_over = *gone > limit.allowed(*all) || *serving < limit.keep;
                chosen.contains(value) && is_over
            });
            let (value, [all, gone, serving]) = wrong?;
            let label = &limit.label;
            Some(format!(
                "reset {name} has {gone} of {all} hosts with {label}={value} away, and {serving} serve"
            ))
        })
    }

    /// A service was left with too few, as every master could see.
    fn too_few(&self, turn: &Turn<'_>, now: Duration) -> Option<String> {
        let jobs = turn.chosen().filter_map(|host| self.known(host));
        let jobs: BTreeSet<&JobId> = jobs.flat_map(|known| known.jobs(now)).collect();
        if jobs.is_empty() {
            return None;
        }
        let away = self.hosts.away(turn.name, turn.is);
        jobs.into_iter().find_map(|job| {
            let with = self.hosts.0.values();
            let with = with.filter(|known| known.jobs(now).any(|other| other == job));
            let all = with.count() as u64;
            let others = self.hosts.0.iter();
            let others = others.filter(|(host, _)| !away.contains(host.as_str()));
            let well = others.filter(|(_, known)| known.seemed_well(job, now));
            let well = well.count() as u64;
            let minimum = turn.is.reset.limits.minimum_of(job.name(), all);
            (well < minimum).then(|| {
                let name = turn.name;
                format!("reset {name} left {well} of {all} of {job}, and {minimum} have to be well")
            })
        })
    }

    /// A host is counted as done that is not back, or still drained.
    fn not_back(&self, turn: &Turn<'_>) -> Option<String> {
        let name = turn.name;
        turn.done().find_map(|(host, away)| {
            let known = self.known(host)?;
            let same = known.boot == away.boot && turn.is.reset.action != Action::None;
            if same {
                return Some(format!(
                    "{host} is done with reset {name}, and was not reset"
                ));
            }
            known
                .is_drained_by(name)
                .then(|| format!("{host} is done with reset {name}, and is still drained"))
        })
    }

    fn known(&self, host: &HostName) -> Option<&Known> {
        self.hosts.0.get(host.as_str())
    }

    fn learn(&mut self, turn: &Turn<'_>, now: Duration) {
        let before = turn.was.into_iter().flat_map(|was| &was.progress.away);
        for (_, away) in before.filter(|(_, away)| away.phase == Phase::Resetting) {
            self.orders.insert(away.id.clone(), Some(now));
        }
        let after = turn.is.progress.away.values();
        for away in after.filter(|away| away.phase == Phase::Resetting) {
            self.orders.insert(away.id.clone(), None);
        }
    }

    /// A machine is reset without an order, or though something of its agent runs.
    fn carried_out(&mut self, fleet: &Fleet, event: &Event, order: &str) -> Option<String> {
        let Actor::Agent(number) = event.actor else {
            return None;
        };
        let host = &fleet.machines.get(&number)?.machine.host;
        if !self.carried_out.insert(order.to_owned()) {
            return Some(format!("{host} is reset a second time by {order}"));
        }
        match self.orders.get(order) {
            None => return Some(format!("{host} is reset by {order}, which nobody gave")),
            Some(Some(until)) if event.at > *until + ON_ITS_WAY => {
                return Some(format!("{host} is reset by {order}, long after that"));
            }
            // A machine that is about to restart is not held back any more.
            Some(Some(_)) => return None,
            Some(None) => {}
        }
        let state = fleet.machines.get(&number)?;
        // Two machines may claim one name, and a master knows the name alone.
        let owner = fleet.wanted(host)?;
        if owner.agent_id != state.machine.agent_id {
            return None;
        }
        let mut own = state.own();
        let (id, _) = own.find(|(id, _)| state.known_to_run(id, fleet.now).is_some())?;
        Some(format!("{host} is reset by {order}, and {id} runs there"))
    }
}
