//! What a campaign should have seen at least once, else its faults are too tame.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use helios_core::JobId;
use helios_core::runtime::RuntimeErrorKind;

use helios_rollout::rolling::{GroupRecord, Rollout, RolloutState};

use super::super::trace::{Actor, Change, Event, Fact, Fleet, Outcome, Verb, What, Write};
use super::resets::{seen as reset, turns};
use super::rollouts::{Move, moves};

/// For how long a container is kept if it is not removed for another reason than that its time is over.
const KEPT_LONG: Duration = Duration::from_secs(45);

/// Notices what a campaign should have seen.
#[derive(Default)]
pub(super) struct Watcher {
    calls: BTreeMap<u64, (Actor, Verb)>,
    answered: BTreeSet<u64>,
    unknown: BTreeSet<u64>,
    committed: BTreeSet<u64>,
    undeployed: BTreeMap<JobId, Duration>,
}

impl Watcher {
    /// What just happened, if it is worth to be counted; `fleet` is how everything was before.
    pub(super) fn see(&mut self, fleet: &Fleet, event: &Event) -> Option<&'static str> {
        match &event.what {
            What::Crashed => crash(fleet, event),
            What::Call { call, verb, .. } => {
                self.calls.insert(*call, (event.actor, *verb));
                None
            }
            What::Answer { call, error } => {
                self.answered.insert(*call);
                self.calls.remove(call);
                (*error == Some(RuntimeErrorKind::PortInUse))
                    .then_some("a port was taken by something else")
            }
            What::Effect { call, change } if self.answered.contains(call) => match change {
                Change::Created { .. } => {
                    Some("a create took effect after its caller had given up")
                }
                Change::Started(_) => Some("a start took effect after its caller had given up"),
                Change::Stopped(_) => Some("a stop took effect after its caller had given up"),
                Change::Renamed(_) => Some("a rename took effect after its caller had given up"),
                Change::Removed(_) => Some("a remove took effect after its caller had given up"),
            },
            What::Effect {
                change: Change::Removed(id),
                ..
            } => {
                let container = fleet.machine_of(event)?.containers.get(id)?;
                let kept_since = container.kept_since?;
                (event.at >= kept_since + KEPT_LONG)
                    .then_some("what died was kept, and removed when its time was over")
            }
            What::Reply { request, outcome } => {
                if *outcome != Outcome::Unknown {
                    return None;
                }
                self.unknown.insert(*request);
                let made = self.committed.contains(request);
                made.then_some("a commit was made, and its maker was not told")
            }
            What::Commit {
                request, writes, ..
            } => {
                self.committed.insert(*request);
                if self.unknown.contains(request) {
                    return Some("a commit was made after its maker was told that nobody knows");
                }
                let goals = writes
                    .iter()
                    .find_map(|write| self.goals(event.at, &write.was, &write.is));
                goals
                    .or_else(|| writes.iter().find_map(ports))
                    .or_else(|| moves(writes).find_map(rollout))
                    .or_else(|| turns(writes).find_map(|turn| reset(&turn)))
            }
            What::Expired { .. } => Some("a session expired"),
            What::Reset { .. } => Some("a machine was reset"),
            What::Fault(fault) if fault.contains("LoseWatches") => Some("watch events were lost"),
            _ => None,
        }
    }

    fn goals(&mut self, now: Duration, was: &Fact, is: &Fact) -> Option<&'static str> {
        let (was, is) = (was.host()?, is.host()?);
        let gone = was.goals.keys().filter(|job| !is.goals.contains_key(job));
        let is_gone = gone
            .map(|job| self.undeployed.insert(job.clone(), now))
            .count()
            > 0;
        if is_gone && self.calls.values().any(|(_, verb)| *verb == Verb::Pull) {
            return Some("a job was undeployed during a pull");
        }
        let mut new = is.goals.keys().filter(|job| !was.goals.contains_key(job));
        let again = |job: &JobId| {
            let gone = self.undeployed.get(job);
            gone.is_some_and(|at| now < *at + Duration::from_secs(60))
        };
        new.any(again)
            .then_some("a job was deployed again within one resync")
    }
}

fn ports(write: &Write) -> Option<&'static str> {
    let report = write.is.report()?;
    let mut errors = report.tasks.values().map(|(_, error)| error);
    errors
        .any(|error| error.starts_with("no free port in "))
        .then_some("all ports of the agent's range were taken")
}

fn rollout(group: Move<'_>) -> Option<&'static str> {
    let (was, is) = (group.was?.rollout.as_ref()?, group.is?.rollout.as_ref()?);
    let ends = was.state == RolloutState::RollingOut && is.state != RolloutState::RollingOut;
    if was.id != is.id {
        let flies = !was.in_flight.is_empty() && was.state == RolloutState::RollingOut;
        return flies.then_some("a rollout was replaced while hosts were in flight");
    }
    match is.state {
        RolloutState::Done if ends => Some("a rollout came to every host"),
        RolloutState::Failed if ends && is.stopped => Some("a rollout was stopped"),
        RolloutState::Failed if ends => Some(if is_first_too_many(group.is?, is) {
            "a rollout was given up with the first failure that was too many"
        } else {
            "a rollout was given up"
        }),
        _ => None,
    }
}

/// Whether one host fewer might have failed. Not so where any failure is one too many.
fn is_first_too_many(group: &GroupRecord, rollout: &Rollout) -> bool {
    let tolerated = rollout.policy.tolerance(&group.options(), rollout.size);
    tolerated > 0 && u64::try_from(rollout.failed.len()) == Ok(tolerated + 1)
}

fn crash(fleet: &Fleet, event: &Event) -> Option<&'static str> {
    let state = fleet.machine_of(event)?;
    let host = fleet.wanted(&state.machine.host);
    let mut own = state.own();
    let died = own.find_map(|(_, container)| {
        let job = container.job.as_ref()?;
        match (
            container.runs,
            state.is_wanted(host, job),
            state.is_unwanted(host, job),
        ) {
            (false, true, _) => Some("an agent died between create and start"),
            (false, _, true) => Some("an agent died between stop and remove"),
            _ => None,
        }
    });
    died.or_else(|| {
        let has_container = |job| {
            let mut own = state.own();
            own.any(|(_, own)| own.job.as_ref() == Some(job) && own.kept_since.is_none())
        };
        let mut leases = state.leases.iter().flatten();
        leases
            .any(|(job, ports)| {
                !ports.is_empty() && state.is_wanted(host, job) && !has_container(job)
            })
            .then_some("an agent died between lease and create")
    })
}
