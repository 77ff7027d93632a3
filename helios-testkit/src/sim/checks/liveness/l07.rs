//! L7: quiescence.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use helios_core::TaskState;
use helios_core::store::Key;

use super::super::super::trace::{Actor, Event, Fleet, Verb, What, Write};
use super::{Check, Excuses, Verdicts, check};

#[derive(Debug, Default)]
pub(super) struct Quiescence {
    excuses: Excuses,
    calls: BTreeMap<u64, String>,
    writes: BTreeMap<(Actor, Key), VecDeque<Duration>>,
}

impl Check for Quiescence {
    check!(
        Quiescence,
        "L7",
        "once everything is as wanted nothing is made, started, stopped or removed, and hardly anything written"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        self.excuses.see(fleet, event);
        if fleet.stable_since.is_none() || !fleet.is_settled() {
            return;
        }
        let Actor::Agent(number) = event.actor else {
            return;
        };
        match &event.what {
            What::Call {
                call,
                verb,
                job,
                container,
            } => {
                // What the engine refuses is tried again for ever, at a slow pace.
                let excused = job
                    .as_ref()
                    .is_some_and(|job| self.excuses.has(number, job, event.at));
                if !excused && !matches!(verb, Verb::Pull | Verb::List) {
                    self.calls
                        .insert(*call, format!("{verb:?} of {job:?} {container:?}"));
                }
            }
            What::Answer { call, error } => {
                if let Some(what) = self.calls.remove(call).filter(|_| error.is_none()) {
                    let message = format!(
                        "{} still acts, though all is as wanted: {what}",
                        event.actor
                    );
                    verdicts.violated([event.actor], message);
                }
            }
            What::Commit { writes, .. } => {
                for write in writes {
                    self.count(fleet, event, write, verdicts);
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}

impl Quiescence {
    /// Counts the writes of one entry: what is tried again for ever changes both a status and a
    /// history each time, and each of them only so often; a status for each job that does not run.
    fn count(&mut self, fleet: &Fleet, event: &Event, write: &Write, verdicts: &mut Verdicts) {
        let key = &write.key;
        let tried = write.is.report().map_or(1, |report| {
            let tasks = report.tasks.values();
            tasks
                .filter(|(state, _)| *state != TaskState::Running)
                .count()
                .max(1)
        });
        let recent = self.writes.entry((event.actor, key.clone())).or_default();
        recent.push_back(event.at);
        while recent
            .front()
            .is_some_and(|at| *at + Duration::from_secs(60) < event.at)
        {
            recent.pop_front();
        }
        if recent.len() > fleet.bounds.idle_writes_per_minute * tried {
            let message = format!(
                "{} wrote {key} {} times in an idle minute",
                event.actor,
                recent.len()
            );
            verdicts.violated([event.actor], message);
        }
    }
}
