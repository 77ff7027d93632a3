//! What the engine says of itself and of all its containers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bollard::models::{ContainerSummary, ContainerSummaryStateEnum as State, PortSummaryTypeEnum};
use bollard::query_parameters::ListContainersOptionsBuilder;
use helios_core::orphans::{KnownContainer, Route};
use helios_core::reconcile::{JOB_LABEL, KILL_AFTER_LABEL};
use helios_core::runtime::{ContainerId, Owner, Protocol, RuntimeError};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::failure::{Call, failure, timed_out};
use crate::labels;
use crate::runtime::DockerRuntime;

/// What a process gets to end by itself whose container does not say.
const KILL_AFTER: Duration = Duration::from_secs(10);

impl DockerRuntime {
    /// Which engine it is and where its data are. The id alone may be that of the machine.
    pub(super) async fn identity(&self) -> Result<String, RuntimeError> {
        let told = timeout(self.timeouts.read, self.client.info())
            .await
            .map_err(|_| timed_out(Call::Version, ""))?
            .map_err(|error| failure(Call::Version, "", error))?;
        let id = told.id.unwrap_or_default();
        let data = told.docker_root_dir.unwrap_or_default();
        Ok(format!("{id} {data}"))
    }

    /// Who listens on the engine's socket. Where the init system has opened it, that is the init system.
    pub(super) async fn daemon_behind_the_socket(&self) -> Option<u32> {
        let stream = UnixStream::connect(self.socket.as_ref()?).await.ok()?;
        u32::try_from(stream.peer_cred().ok()?.pid()?).ok()
    }

    /// All containers, of whatever owner.
    pub(super) async fn all_containers(
        &self,
    ) -> Result<BTreeMap<ContainerId, KnownContainer>, RuntimeError> {
        let options = ListContainersOptionsBuilder::new().all(true).build();
        let list = self.client.list_containers(Some(options));
        let lines = timeout(self.timeouts.read, list)
            .await
            .map_err(|_| timed_out(Call::List, ""))?
            .map_err(|error| failure(Call::List, "", error))?;
        let known =
            |line: ContainerSummary| Some((ContainerId::new(line.id.clone()?), known(line)));
        Ok(lines.into_iter().filter_map(known).collect())
    }

    /// This engine, as the agent of that id sees it.
    pub(super) fn as_owner(&self, owner: Owner) -> Self {
        Self {
            owner,
            owned: Arc::default(),
            ..self.clone()
        }
    }

    /// Stops and removes a container, with the time its job wanted for that.
    pub(super) async fn end_container(&self, id: &ContainerId) -> Result<(), RuntimeError> {
        let Some(container) = self.inspect(Call::Remove, id).await? else {
            return Ok(());
        };
        let grace = container.labels.get(KILL_AFTER_LABEL);
        let grace = grace.and_then(|seconds| seconds.parse().ok());
        let grace = grace.map_or(KILL_AFTER, Duration::from_secs);
        self.stop_container(id, grace).await?;
        self.remove_container(id).await
    }
}

fn known(line: ContainerSummary) -> KnownContainer {
    let ended = [State::CREATED, State::EXITED, State::DEAD];
    let labels = line.labels.clone().unwrap_or_default();
    let names = line.names.clone().unwrap_or_default();
    KnownContainer {
        name: names
            .first()
            .map(|name| name.trim_start_matches('/').to_owned())
            .unwrap_or_default(),
        // Whatever is not surely without processes may have some.
        alive: !line.state.is_some_and(|state| ended.contains(&state)),
        owner: labels.get(labels::OWNER).cloned(),
        job: labels.get(JOB_LABEL).cloned(),
        routes: routes(&line),
    }
}

/// Each published port, at each of its addresses.
fn routes(line: &ContainerSummary) -> BTreeSet<Route> {
    let networks = line
        .network_settings
        .iter()
        .flat_map(|settings| &settings.networks)
        .flat_map(|networks| networks.values());
    let addresses: Vec<IpAddr> = networks
        .flat_map(|network| [&network.ip_address, &network.global_ipv6_address])
        .flatten()
        .filter_map(|text| text.parse().ok())
        .collect();
    let mut routes = BTreeSet::new();
    for port in line.ports.iter().flatten() {
        let protocol = match port.typ {
            Some(PortSummaryTypeEnum::UDP) => Protocol::Udp,
            _ => Protocol::Tcp,
        };
        let Some(host_port) = port.public_port else {
            continue;
        };
        routes.extend(addresses.iter().map(|container_ip| Route {
            protocol,
            host_port,
            container_ip: *container_ip,
            container_port: port.private_port,
        }));
    }
    routes
}
