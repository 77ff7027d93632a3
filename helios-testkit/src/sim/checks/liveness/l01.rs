//! L1: what runs is what is wanted.

use super::super::super::trace::{Actor, Event, Fleet, MachineState, What};
use super::{Check, Excuses, Verdicts, check};

#[derive(Debug, Default)]
pub(super) struct AsWanted {
    excuses: Excuses,
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
            return;
        }
        match &event.what {
            What::Effect { .. } | What::Commit { .. } | What::Phase(_) => {
                self.judge(fleet, verdicts);
            }
            _ => {}
        }
    }

    fn end(&mut self, fleet: &Fleet, verdicts: &mut Verdicts) {
        if fleet.is_settled() {
            self.judge(fleet, verdicts);
        }
    }
}

impl AsWanted {
    fn judge(&self, fleet: &Fleet, verdicts: &mut Verdicts) {
        for (number, state) in &fleet.machines {
            if state.lost {
                continue;
            }
            if let Some(wrong) = difference(fleet, *number, state, &self.excuses) {
                verdicts.violated([Actor::Agent(*number)], wrong);
            }
        }
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
    let runs: std::collections::BTreeSet<_> = state
        .own()
        .map(|(_, container)| container)
        .filter(running)
        .filter_map(|container| container.job.as_ref())
        .collect();
    let missing = wanted
        .difference(&runs)
        .find(|job| !excuses.has(number, job, fleet.now));
    if let Some(job) = missing {
        return Some(format!("{job} is to run on {host}, and does not"));
    }
    let surplus = runs.difference(&wanted).next()?;
    Some(format!("{surplus} runs on {host}, and is not to"))
}
