//! S3: ports are exclusive.

use std::collections::BTreeMap;

use helios_core::JobId;
use helios_core::runtime::{ContainerId, Protocol};

use super::super::super::trace::{Actor, Change, Event, Fleet, MachineState, Running, Verb, What};
use super::{Check, Verdicts, check};

/// The ports of each job by their names.
type Leases = BTreeMap<JobId, BTreeMap<String, u16>>;

#[derive(Debug, Default)]
pub(super) struct PortsExclusive {
    /// What each machine stored last.
    leases: BTreeMap<u16, Leases>,
}

impl Check for PortsExclusive {
    check!(
        PortsExclusive,
        "S3",
        "no two containers that run share a host port, none is started with one that is not leased to its job alone, and no lease ends under a container that runs"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        let (Actor::Agent(number) | Actor::Engine(number)) = event.actor else {
            return;
        };
        let Some(state) = fleet.machines.get(&number) else {
            return;
        };
        let wrong = match &event.what {
            What::Effect {
                change: Change::Started(id),
                ..
            } => shared(state, id),
            What::Call {
                verb: Verb::Start,
                container: Some(id),
                ..
            } => unleased(state, id),
            What::Saved {
                leases: Some(leases),
                ..
            } => {
                let before = self.leases.insert(number, leases.clone());
                before.and_then(|before| taken_away(fleet, state, &before, leases))
            }
            _ => None,
        };
        if let Some(wrong) = wrong {
            verdicts.violated([event.actor], wrong);
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}

fn shared(state: &MachineState, id: &ContainerId) -> Option<String> {
    let started = state.containers.get(id)?;
    let others = state.containers.iter();
    let mut others = others.filter(|(other, container)| *other != id && container.runs);
    others.find_map(|(other, container)| {
        let (protocol, port) = common(started, container)?;
        Some(format!("{id} and {other} both have port {port}/{protocol}"))
    })
}

/// A container is to be started with a port that its job was not leased, or that another one was leased as well.
fn unleased(state: &MachineState, id: &ContainerId) -> Option<String> {
    let leases = state.leases.as_ref()?;
    let container = state.containers.get(id)?;
    let job = container.job.as_ref()?;
    let is_leased = |job: &JobId, port: u16| {
        let leased = leases.get(job);
        leased.is_some_and(|leased| leased.values().any(|own| *own == port))
    };
    let mut ports = container.ports.iter();
    if let Some((protocol, port)) = ports.find(|(_, port)| !is_leased(job, *port)) {
        return Some(format!(
            "{id} is started with port {port}/{protocol}, which is not leased to {job}"
        ));
    }
    let others = state.own().filter(|(_, other)| other.kept_since.is_none());
    others.into_iter().find_map(|(_, other)| {
        let (protocol, port) = common(container, other)?;
        let rival = other.job.as_ref().filter(|other| *other != job)?;
        is_leased(rival, port)
            .then(|| format!("port {port}/{protocol} is leased to {job} and to {rival} at once"))
    })
}

/// A lease ends though the container that it is for runs with it.
fn taken_away(
    fleet: &Fleet,
    state: &MachineState,
    before: &Leases,
    after: &Leases,
) -> Option<String> {
    before.iter().find_map(|(job, ports)| {
        let has = |port: &u16| {
            after
                .get(job)
                .is_some_and(|after| after.values().any(|own| own == port))
        };
        let lost = ports.values().find(|port| !has(port))?;
        let mut own = state.own();
        let (id, _) = own.find(|(id, container)| {
            container.job.as_ref() == Some(job)
                && container.ports.iter().any(|(_, port)| port == lost)
                && state.known_to_run(id, fleet.now).is_some()
        })?;
        Some(format!(
            "port {lost} is not leased to {job} any more, and {id} runs with it"
        ))
    })
}

fn common(one: &Running, other: &Running) -> Option<(Protocol, u16)> {
    let mut ports = one.ports.iter();
    ports.find(|port| other.ports.contains(port)).copied()
}
