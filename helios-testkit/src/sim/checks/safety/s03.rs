//! S3: ports are exclusive.

use super::super::super::trace::{Change, Event, Fleet, What};
use super::{Check, Verdicts, check};

#[derive(Debug)]
pub(super) struct PortsExclusive;

impl Check for PortsExclusive {
    check!(
        PortsExclusive,
        "S3",
        "no two containers that run share a host port, and each port was leased before to the job that has it"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        let Some(state) = fleet.machine_of(event) else {
            return;
        };
        let What::Effect { change, .. } = &event.what else {
            return;
        };
        match change {
            Change::Started(id) => {
                let Some(started) = state.containers.get(id) else {
                    return;
                };
                let others = state
                    .containers
                    .iter()
                    .filter(|(other, container)| *other != id && container.runs);
                for (other, container) in others {
                    if let Some(port) = container
                        .ports
                        .iter()
                        .find(|port| started.ports.contains(port))
                    {
                        let message =
                            format!("{id} and {other} both have port {}/{}", port.1, port.0);
                        verdicts.violated([event.actor], message);
                    }
                }
            }
            Change::Created {
                job: Some(job),
                ports,
                ..
            } => {
                let Some(leases) = &state.leases else { return };
                let leased = leases.get(job);
                let has = |port: u16| {
                    leased.is_some_and(|leased| leased.values().any(|own| *own == port))
                };
                if let Some((_, port)) = ports.iter().find(|(_, port)| !has(*port)) {
                    // A create that comes late finds leases that were taken back meanwhile; it holds no port
                    // before it is started.
                    let is_wanted = state.is_wanted(fleet.wanted(&state.machine.host), job);
                    if is_wanted && fleet.is_calm() {
                        let message =
                            format!("{job} was made with port {port}, which it was never leased");
                        verdicts.violated([event.actor], message);
                    }
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}
