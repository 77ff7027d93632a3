//! When a job that should run need not: its engine refuses it again and again, or it keeps ending by itself.

use std::collections::BTreeMap;
use std::time::Duration;

use helios_core::JobId;
use helios_core::runtime::RuntimeErrorKind;

use super::super::trace::{Actor, Change, Event, Fleet, Verb, What};

/// How long a reason lasts: longer than any wait between two attempts.
const LASTS: Duration = Duration::from_secs(200);

/// What keeps jobs from running though their agent tries.
#[derive(Debug, Default)]
pub(super) struct Excuses {
    calls: BTreeMap<u64, (u16, JobId, Verb)>,
    reasons: BTreeMap<u16, BTreeMap<JobId, Duration>>,
}

impl Excuses {
    pub(super) fn see(&mut self, fleet: &Fleet, event: &Event) {
        match (&event.what, event.actor) {
            (
                What::Call {
                    call,
                    verb,
                    job: Some(job),
                    ..
                },
                Actor::Agent(number),
            ) => {
                self.calls.insert(*call, (number, job.clone(), *verb));
            }
            (What::Answer { call, error }, _) => {
                let Some((number, job, verb)) = self.calls.remove(call) else {
                    return;
                };
                let refused = matches!(
                    error,
                    Some(RuntimeErrorKind::ImageUnknown | RuntimeErrorKind::BadSpec)
                );
                if refused && matches!(verb, Verb::Create | Verb::Start) {
                    self.excuse(number, job, event.at);
                }
            }
            (
                What::Effect {
                    call: 0,
                    change: Change::Stopped(id),
                },
                Actor::Engine(number),
            ) => {
                let state = fleet.machines.get(&number);
                let job = state.and_then(|state| state.containers.get(id)?.job.clone());
                if let Some(job) = job {
                    self.excuse(number, job, event.at);
                }
            }
            _ => {}
        }
    }

    fn excuse(&mut self, number: u16, job: JobId, at: Duration) {
        self.reasons.entry(number).or_default().insert(job, at);
    }

    /// Whether there is a reason that the job does not run there now.
    pub(super) fn has(&self, number: u16, job: &JobId, now: Duration) -> bool {
        let reason = self.reasons.get(&number).and_then(|jobs| jobs.get(job));
        reason.is_some_and(|at| now < *at + LASTS)
    }

    /// Whether there is a reason that some job does not run there now.
    pub(super) fn has_any(&self, number: u16, now: Duration) -> bool {
        let reasons = self.reasons.get(&number);
        reasons.is_some_and(|jobs| jobs.values().any(|at| now < *at + LASTS))
    }
}
