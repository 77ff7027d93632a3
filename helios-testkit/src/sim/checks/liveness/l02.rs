//! L2: no orphans.

use super::super::super::trace::{Actor, Event, Fleet};
use super::{Check, Verdicts, check};

#[derive(Debug)]
pub(super) struct NoOrphans;

impl Check for NoOrphans {
    check!(
        NoOrphans,
        "L2",
        "at the end no container is left, in any state, whose job is not deployed there"
    );

    fn see(&mut self, _: &Fleet, _: &Event, _: &mut Verdicts) {}

    fn end(&mut self, fleet: &Fleet, verdicts: &mut Verdicts) {
        if !fleet.is_settled() {
            return;
        }
        for (number, state) in fleet.machines.iter().filter(|(_, state)| !state.lost) {
            let host = fleet.wanted(&state.machine.host);
            let Some(host) = host.filter(|host| host.agent_id == state.machine.agent_id) else {
                continue;
            };
            let deployed = |job| host.goals.contains_key(job);
            let mut own = state.own();
            let orphan = own.find(|(_, container)| !container.job.as_ref().is_some_and(deployed));
            if let Some((id, _)) = orphan {
                let message = format!(
                    "{id} on {} is of no job that is deployed there",
                    state.machine.host
                );
                verdicts.violated([Actor::Agent(*number)], message);
            }
        }
    }
}
