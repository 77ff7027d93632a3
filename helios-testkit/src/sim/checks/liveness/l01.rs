//! L1: what runs is what is wanted.

use std::collections::BTreeSet;

use helios_core::schema::Keys;
use helios_core::{JobId, TaskState};

use super::super::super::trace::{Actor, Event, Fleet, MachineState, What};
use super::{Check, Excuses, Verdicts, check};

#[derive(Debug, Default)]
pub(super) struct AsWanted {
    excuses: Excuses,
    /// The machines that may come to be wrong though nothing happens there, since they are excused for a time: all others
    /// were found to be right since everything settled. `None` if none was looked at since.
    excused: Option<BTreeSet<u16>>,
}

impl Check for AsWanted {
    check!(
        AsWanted,
        "L1",
        "a while after the last fault and the last change exactly what is wanted runs, and stays so"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        self.excuses.see(fleet, event);
        if !fleet.is_settled() {
            self.excused = None;
            return;
        }
        match (&event.what, &mut self.excused, event.actor) {
            (What::Effect { .. } | What::Commit { .. } | What::Phase(_), None, _) => {
                self.judge_all(fleet, verdicts);
            }
            // What is wanted does not change while everything is settled, so nothing else can go wrong.
            (What::Effect { .. }, Some(excused), Actor::Agent(number) | Actor::Engine(number)) => {
                excused.insert(number);
                self.judge_excused(fleet, verdicts);
            }
            (What::Effect { .. } | What::Commit { .. } | What::Phase(_), Some(_), _) => {
                self.judge_excused(fleet, verdicts);
            }
            _ => {}
        }
    }

    fn end(&mut self, fleet: &Fleet, verdicts: &mut Verdicts) {
        if fleet.is_settled() {
            self.judge_all(fleet, verdicts);
        }
    }
}

impl AsWanted {
    fn judge_all(&mut self, fleet: &Fleet, verdicts: &mut Verdicts) {
        self.excused = Some(fleet.machines.keys().copied().collect());
        self.judge_excused(fleet, verdicts);
    }

    fn judge_excused(&mut self, fleet: &Fleet, verdicts: &mut Verdicts) {
        let Some(excused) = &mut self.excused else {
            return;
        };
        excused.retain(|number| {
            let state = fleet.machines.get(number).filter(|state| !state.lost);
            let wrong = state.and_then(|state| difference(fleet, *number, state, &self.excuses));
            if let Some(wrong) = wrong {
                verdicts.violated([Actor::Agent(*number)], wrong);
            }
            self.excuses.has_any(*number, fleet.now)
        });
    }
}

/// In what the machine is not as wanted, if it is wanted to be in any way.
pub(super) fn difference(
    fleet: &Fleet,
    number: u16,
    state: &MachineState,
    excuses: &Excuses,
) -> Option<String> {
    let host = &state.machine.host;
    let wanted = state.jobs_wanted(fleet.wanted(host))?;
    let running = |container: &&super::super::super::trace::Running| container.runs;
    let runs: BTreeSet<_> = state
        .own()
        .map(|(_, container)| container)
        .filter(running)
        .filter_map(|container| container.job.as_ref())
        .collect();
    let missing = wanted
        .difference(&runs)
        .find(|job| !excuses.has(number, job, fleet.now) && !is_crowded_out(fleet, state, job));
    if let Some(job) = missing {
        return Some(format!("{job} is to run on {host}, and does not"));
    }
    let surplus = runs.difference(&wanted).next()?;
    Some(format!("{surplus} runs on {host}, and is not to"))
}

/// Whether the agent tells that a port of the job is another's, and so it is: what runs keeps the port that its agent chose for it,
/// though a job came since that can do with no other.
fn is_crowded_out(fleet: &Fleet, state: &MachineState, job: &JobId) -> bool {
    let host = &state.machine.host;
    let report = fleet.entries.get(&Keys::report(host));
    let Some((TaskState::Failed, why)) = report.and_then(|report| report.report()?.tasks.get(job))
    else {
        return false;
    };
    let mut leases = state.leases.iter().flatten();
    leases.any(|(other, ports)| {
        let tells = |port: &u16| why.starts_with(&format!("port {port}/"));
        other != job && state.is_wanted(fleet.wanted(host), other) && ports.values().any(tells)
    })
}
