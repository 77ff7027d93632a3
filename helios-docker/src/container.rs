//! From what Docker's API says to a container as the port shows it.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use bollard::models::{
    ContainerInspectResponse, ContainerState as DockerState, ContainerStateStatusEnum as Status,
    ContainerSummary, ContainerSummaryStateEnum, EndpointSettings,
};
use helios_core::model::parse_date;
use helios_core::runtime::{Container, ContainerId, ContainerState, Exit, Owner};

use crate::labels;

/// The container that an inspect shows; `None` if it is not the owner's.
pub(crate) fn inspected(owner: &Owner, seen: ContainerInspectResponse) -> Option<Container> {
    let labels = seen.config?.labels?;
    if !labels::is_owned(owner, &labels) {
        return None;
    }
    let networks = seen.network_settings.and_then(|settings| settings.networks);
    Some(container(
        seen.id?,
        bare(&seen.name?),
        &labels,
        state(seen.state?),
        networks,
    ))
}

/// The container that a line of a list shows completely; `None` if only an inspect can tell.
///
/// A list leaves out how a container ended, and why it did not start. That it runs is all there is to say
/// of most, so that listing them costs one call.
pub(crate) fn listed(owner: &Owner, line: &ContainerSummary) -> Option<Container> {
    let labels = line.labels.as_ref()?;
    let running = line.state == Some(ContainerSummaryStateEnum::RUNNING);
    if !running || !labels::is_owned(owner, labels) {
        return None;
    }
    // A name with a second slash is an alias that another container has for it.
    let own_name = |name: &&String| !bare(name).contains('/');
    let name = line.names.as_ref()?.iter().find(own_name)?;
    let networks = line.network_settings.clone().and_then(|n| n.networks);
    Some(container(
        line.id.clone()?,
        bare(name),
        labels,
        ContainerState::Running,
        networks,
    ))
}

fn container(
    id: String,
    name: &str,
    labels: &HashMap<String, String>,
    state: ContainerState,
    networks: Option<HashMap<String, EndpointSettings>>,
) -> Container {
    // An address belongs to a running process; between death and clean-up Docker still shows it.
    let ip = match state {
        ContainerState::Running => networks.and_then(address),
        _ => None,
    };
    Container {
        id: ContainerId::new(id),
        name: name.to_owned(),
        digest: labels::digest(labels),
        labels: labels::of_spec(labels),
        state,
        ip,
    }
}

fn bare(name: &str) -> &str {
    name.strip_prefix('/').unwrap_or(name)
}

fn state(seen: DockerState) -> ContainerState {
    let error = seen.error.filter(|error| !error.is_empty());
    match seen.status {
        Some(Status::CREATED) => ContainerState::Created { error },
        // Nobody else stops it, so what Docker calls stopping or paused is a process that is there.
        Some(Status::RUNNING | Status::PAUSED | Status::RESTARTING | Status::STOPPING) => {
            ContainerState::Running
        }
        Some(Status::REMOVING | Status::DEAD) => ContainerState::Removing,
        Some(Status::EXITED | Status::EMPTY) | None => ContainerState::Exited(Exit {
            code: seen.exit_code.unwrap_or_default(),
            out_of_memory: seen.oom_killed.unwrap_or_default(),
            error,
            ended_at: seen.finished_at.and_then(|at| parse_date(&at).ok()),
        }),
    }
}

/// The first address, in the order of the networks' names.
fn address(networks: HashMap<String, EndpointSettings>) -> Option<IpAddr> {
    let networks: BTreeMap<_, _> = networks.into_iter().collect();
    networks
        .into_values()
        .flat_map(|network| [network.ip_address, network.global_ipv6_address])
        .flatten()
        .find_map(|text| text.parse().ok())
}

#[cfg(test)]
mod tests;
