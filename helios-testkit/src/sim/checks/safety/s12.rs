//! S12: identity.

use super::super::super::trace::{Actor, Event, Fact, Fleet, What};
use super::{Check, Verdicts, check};

#[derive(Debug)]
pub(super) struct Identity;

impl Check for Identity {
    check!(
        Identity,
        "S12",
        "only the agent that holds a host's name, alive and registered, writes the status of the host, and in its own name"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        let What::Commit { writes, .. } = &event.what else {
            return;
        };
        for write in writes {
            let (Fact::Report(report), Some(host)) =
                (&write.is, write.key.as_str().strip_prefix("status/"))
            else {
                continue;
            };
            let entry = |dir: &str| {
                let key = format!("{dir}/{host}").parse().ok()?;
                fleet.entries.get(&key)
            };
            let present = entry("up")
                .and_then(Fact::presence)
                .map(|presence| presence.id.as_str());
            let registered = entry("hosts")
                .and_then(Fact::host)
                .map(|host| host.agent_id.as_str());
            let own = Some(report.agent_id.as_str());
            let writer = match event.actor {
                Actor::Agent(number) => {
                    let state = fleet.machines.get(&number);
                    state.map(|state| state.machine.agent_id.as_str())
                }
                Actor::Master(_) => None,
                // Who is not known wrote it.
                Actor::Engine(_) | Actor::Store | Actor::Test => own,
            };
            if writer != own {
                let message = format!(
                    "{} writes the status of {host} in the name of {}",
                    event.actor, report.agent_id
                );
                verdicts.violated([event.actor], message);
            }
            if present != own || registered.is_some() && registered != own {
                let message = format!(
                    "{} reports for {host}, whose name {present:?} holds and which is registered for {registered:?}",
                    report.agent_id
                );
                verdicts.violated([event.actor], message);
            }
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}
