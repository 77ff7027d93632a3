//! L3: ports return.

use super::super::super::trace::{Actor, Event, Fleet};
use super::{Check, Verdicts, check};

#[derive(Debug)]
pub(super) struct PortsReturn;

impl Check for PortsReturn {
    check!(
        PortsReturn,
        "L3",
        "at the end no port is leased to a job that is not deployed there"
    );

    fn see(&mut self, _: &Fleet, _: &Event, _: &mut Verdicts) {}

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
