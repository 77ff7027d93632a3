//! L9: undeploying is prompt.

use std::collections::BTreeMap;
use std::time::Duration;

use helios_core::JobId;

use super::super::super::trace::{Actor, Event, Fact, Fleet, Verb, What};
use super::{Check, Verdicts, check};

#[derive(Debug, Default)]
pub(super) struct PromptUndeploy {
    /// When a job was undeployed, and whether its agent has begun to end it since.
    due: BTreeMap<(u16, JobId), (Duration, bool)>,
}

impl Check for PromptUndeploy {
    check!(
        PromptUndeploy,
        "L9",
        "when nothing fails, an agent begins to end what is undeployed after a quarter of the time in which everything must be as wanted, and it is gone after half of it"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        if let (
            What::Call {
                verb: Verb::Stop | Verb::Remove,
                job: Some(job),
                ..
            },
            Actor::Agent(number),
        ) = (&event.what, event.actor)
            && let Some((_, begun)) = self.due.get_mut(&(number, job.clone()))
        {
            *begun = true;
        }
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
                    self.due.insert((*number, job.clone()), (event.at, false));
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
        let settle = fleet.bounds.settle;
        self.due.retain(|(number, job), (since, begun)| {
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
            let within = if *begun { settle / 2 } else { settle / 4 };
            let is_late = fleet.now > *since + within;
            if is_late {
                let agent = Actor::Agent(*number);
                verdicts.violated(
                    [agent],
                    format!(
                        "{job} still runs on {}, long after it was undeployed",
                        state.machine.host
                    ),
                );
            }
            !is_late
        });
    }
}
