//! L11: what runs is told.

use std::collections::BTreeSet;

use helios_core::TaskState;
use helios_core::runtime::ContainerId;
use helios_core::schema::Keys;

use super::super::super::trace::{Actor, Change, Event, Fact, Fleet, What};
use super::{Check, Excuses, Verdicts, check};

#[derive(Debug, Default)]
pub(super) struct ToldToRun {
    excuses: Excuses,
    /// What was not well when it was last looked at.
    unwell: BTreeSet<ContainerId>,
}

impl Check for ToldToRun {
    check!(
        ToldToRun,
        "L11",
        "at the end what is wanted, runs and is not unwell is reported as running"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, _: &mut Verdicts) {
        self.excuses.see(fleet, event);
        match &event.what {
            What::Probed { container, well } => {
                if *well {
                    self.unwell.remove(container);
                } else {
                    self.unwell.insert(container.clone());
                }
            }
            What::Effect {
                change: Change::Removed(container),
                ..
            } => {
                self.unwell.remove(container);
            }
            _ => {}
        }
    }

    fn end(&mut self, fleet: &Fleet, verdicts: &mut Verdicts) {
        if !fleet.is_settled() {
            return;
        }
        for (number, state) in fleet.machines.iter().filter(|(_, state)| !state.lost) {
            let host = &state.machine.host;
            let Some(wanted) = state.jobs_wanted(fleet.wanted(host)) else {
                continue;
            };
            let report = fleet.entries.get(&Keys::report(host));
            let report = report.and_then(Fact::report);
            let runs = state.own().filter(|(id, container)| {
                container.runs && container.kept_since.is_none() && !self.unwell.contains(*id)
            });
            for job in runs.filter_map(|(_, container)| container.job.as_ref()) {
                let told = report.and_then(|report| report.tasks.get(job));
                let is_told = told.is_some_and(|told| told.0 == TaskState::Running);
                if wanted.contains(job) && !is_told && !self.excuses.has(*number, job, fleet.now) {
                    let told = told.map_or("is not told of".to_owned(), |(told, why)| {
                        format!("is told to be {told} {why}")
                    });
                    let message = format!("{job} runs on {host}, and {told}");
                    verdicts.violated([Actor::Agent(*number)], message);
                }
            }
        }
    }
}
