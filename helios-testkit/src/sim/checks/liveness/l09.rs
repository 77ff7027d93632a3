//! L9: undeploying is prompt.

use std::collections::BTreeMap;
use std::time::Duration;

use helios_core::JobId;

use super::super::super::trace::{Actor, Event, Fact, Fleet, What};
use super::{Check, Verdicts, check};

#[derive(Debug, Default)]
pub(super) struct PromptUndeploy {
    due: BTreeMap<(u16, JobId), Duration>,
}

impl Check for PromptUndeploy {
    check!(
        PromptUndeploy,
        "L9",
        "when nothing fails, what is undeployed is gone after half the time in which everything must be as wanted"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        self.judge(fleet, verdicts);
        let What::Commit { writes, .. } = &event.what else {
            return;
        };
        if !fleet.is_calm() {
            return;
        }
        for write in writes {
            let (Fact::Host(was), Fact::Host(is)) = (&write.was, &write.is) else {
                continue;
            };
            for (number, state) in &fleet.machines {
                let own = state.machine.agent_id == is.agent_id && state.reads_goals(&write.key);
                if !own || state.lost {
                    continue;
                }
                for job in was.goals.keys().filter(|job| !is.goals.contains_key(job)) {
                    let by = event.at + fleet.bounds.settle / 2;
                    self.due.insert((*number, job.clone()), by);
                }
            }
        }
    }

    fn end(&mut self, fleet: &Fleet, verdicts: &mut Verdicts) {
        self.judge(fleet, verdicts);
    }
}

impl PromptUndeploy {
    fn judge(&mut self, fleet: &Fleet, verdicts: &mut Verdicts) {
        self.due.retain(|(number, job), by| {
            let Some(state) = fleet.machines.get(number) else {
                return false;
            };
            let gone = !state
                .own()
                .any(|(_, container)| container.runs && container.job.as_ref() == Some(job));
            let wanted = state.is_wanted(fleet.wanted(&state.machine.host), job);
            let excused = fleet.has_faults && fleet.healed_at.is_none() || !state.alive;
            if gone || wanted || excused {
                return false;
            }
            if fleet.now > *by {
                let agent = Actor::Agent(*number);
                verdicts.violated(
                    [agent],
                    format!(
                        "{job} still runs on {}, long after it was undeployed",
                        state.machine.host
                    ),
                );
            }
            fleet.now <= *by
        });
    }
}
