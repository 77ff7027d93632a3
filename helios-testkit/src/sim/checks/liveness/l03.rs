//! L3: ports return, and what is in their way is told.

use std::collections::BTreeMap;
use std::time::Duration;

use helios_core::runtime::RuntimeErrorKind;
use helios_core::{JobId, TaskState};

use super::super::super::trace::{Actor, Change, Event, Fact, Fleet, What};
use super::{Check, Troubles, Verdicts, check};

/// Within which time it has to be told that a port is taken.
const TOLD_WITHIN: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct PortsReturn {
    /// All that can fail, but for ports that something else has.
    troubles: Troubles,
    calls: BTreeMap<u64, (u16, JobId)>,
    /// Since when the port of a job is in use, and nobody was told.
    untold: BTreeMap<(u16, JobId), Duration>,
}

impl Default for PortsReturn {
    fn default() -> Self {
        Self {
            troubles: Troubles::but_for(&["GhostPort", "AllPortsTaken"]),
            calls: BTreeMap::new(),
            untold: BTreeMap::new(),
        }
    }
}

impl Check for PortsReturn {
    check!(
        PortsReturn,
        "L3",
        "at the end no port is leased to a job that is not deployed there; and a job whose port something else has is soon reported as failed, with that reason"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        self.troubles.see(event);
        self.follow(fleet, event);
        if self.untold.is_empty() {
            return;
        }
        let troubles = &self.troubles;
        self.untold.retain(|(number, job), since| {
            let state = fleet.machines.get(number);
            let is_wanted =
                state.is_some_and(|state| state.is_wanted(fleet.wanted(&state.machine.host), job));
            is_wanted && troubles.none_since(*number, *since)
        });
        let late = self.untold.iter();
        let mut late = late.filter(|(_, since)| fleet.now > **since + TOLD_WITHIN);
        if let Some(((number, job), _)) = late.next() {
            let message = format!(
                "a port of {job} is taken by something else, and agent{number} does not tell"
            );
            verdicts.violated([Actor::Agent(*number)], message);
        }
    }

    fn end(&mut self, fleet: &Fleet, verdicts: &mut Verdicts) {
        if !fleet.is_settled() {
            return;
        }
        for (number, state) in fleet.machines.iter().filter(|(_, state)| !state.lost) {
            let host = fleet.wanted(&state.machine.host);
            let host = host.filter(|host| host.agent_id == state.machine.agent_id);
            let (Some(host), Some(leases)) = (host, &state.leases) else {
                continue;
            };
            if let Some(job) = leases.keys().find(|job| !host.goals.contains_key(job)) {
                let message = format!("{} still leases ports to {job}", state.machine.host);
                verdicts.violated([Actor::Agent(*number)], message);
            }
        }
    }
}

impl PortsReturn {
    /// Learns that a port was in the way, and that it is told or is so no more.
    fn follow(&mut self, fleet: &Fleet, event: &Event) {
        let (Actor::Agent(number) | Actor::Engine(number)) = event.actor else {
            return;
        };
        match &event.what {
            What::Call {
                call,
                job: Some(job),
                ..
            } => {
                self.calls.insert(*call, (number, job.clone()));
            }
            What::Answer { call, error } => {
                let asked = self.calls.remove(call);
                if let (Some(asked), Some(RuntimeErrorKind::PortInUse)) = (asked, error) {
                    self.untold.entry(asked).or_insert(event.at);
                }
            }
            What::Effect {
                change: Change::Started(id),
                ..
            } => {
                let state = fleet.machines.get(&number);
                let job = state.and_then(|state| state.containers.get(id)?.job.clone());
                if let Some(job) = job {
                    self.untold.remove(&(number, job));
                }
            }
            What::Commit { writes, .. } => {
                for report in writes.iter().filter_map(|write| match &write.is {
                    Fact::Report(report) => Some(report),
                    _ => None,
                }) {
                    let is_told = |job: &JobId| {
                        let task = report.tasks.get(job);
                        task.is_some_and(|(state, why)| {
                            *state == TaskState::Failed && why.contains("port")
                        })
                    };
                    self.untold
                        .retain(|(of, job), _| *of != number || !is_told(job));
                }
            }
            _ => {}
        }
    }
}
