//! S13: honest status.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use helios_core::{JobId, TaskState};

use super::super::super::trace::{Actor, Change, Event, Fact, Fleet, What};
use super::{Check, Verdicts, check};

/// How old what a report says may be when it is committed: it may come late.
const AGE_MAX: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct HonestStatus {
    /// When a job's container last ran there.
    ran: BTreeMap<(u16, JobId), Duration>,
    /// In which life of the agent a job was last found to be well, and when.
    well: BTreeMap<(u16, JobId), (u32, Duration)>,
    checked: BTreeSet<JobId>,
}

impl Check for HonestStatus {
    check!(
        HonestStatus,
        "S13",
        "a job is reported as running only if it ran, and passed its health check since its agent started"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        let number = match event.actor {
            Actor::Agent(number) | Actor::Engine(number) => Some(number),
            _ => None,
        };
        let state = fleet.machine_of(event);
        let job_of = |id| state.and_then(|state| state.containers.get(id)?.job.clone());
        match (&event.what, number) {
            (
                What::Effect {
                    change: Change::Started(id) | Change::Stopped(id),
                    ..
                },
                Some(number),
            ) => {
                if let Some(job) = job_of(id) {
                    self.ran.insert((number, job), event.at);
                }
            }
            (
                What::Probed {
                    container,
                    well: true,
                },
                Some(number),
            ) => {
                if let Some(job) = job_of(container) {
                    self.well
                        .insert((number, job), (event.incarnation, event.at));
                }
            }
            (What::Commit { writes, .. }, number) => {
                for write in writes {
                    match (&write.is, number) {
                        (Fact::Job(job, true), _) => {
                            self.checked.insert(job.clone());
                        }
                        (Fact::Report(report), Some(number)) => {
                            let running = report
                                .tasks
                                .iter()
                                .filter(|(_, task)| task.0 == TaskState::Running);
                            for (job, _) in running {
                                if let Some(lie) = self.lie(fleet, event, number, job) {
                                    verdicts.violated([event.actor], lie);
                                }
                            }
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}

impl HonestStatus {
    fn lie(&self, fleet: &Fleet, event: &Event, number: u16, job: &JobId) -> Option<String> {
        let state = fleet.machines.get(&number)?;
        let runs = state
            .own()
            .any(|(_, container)| container.runs && container.job.as_ref() == Some(job));
        let key = (number, job.clone());
        let ran = self
            .ran
            .get(&key)
            .is_some_and(|at| event.at < *at + AGE_MAX);
        if !runs && !ran {
            return Some(format!(
                "{} reports {job} as running, and it does not",
                event.actor
            ));
        }
        if !self.checked.contains(job) {
            return None;
        }
        let well = self.well.get(&key);
        let in_this_life = well.is_some_and(|(life, at)| {
            *life == event.incarnation
                || event.at < *at + AGE_MAX && event.at < state.since + AGE_MAX / 4
        });
        (!in_this_life).then(|| {
            format!(
                "{} reports {job} as running, and has not found it well since it started",
                event.actor
            )
        })
    }
}
