//! What one look saw.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::runtime::{ContainerId, Protocol};

/// The engine, the processes around it, and the engine again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Which engine it is, and where its data are: another text once they were lost.
    pub engine: String,
    /// Which boot of the machine it is.
    pub boot: String,
    /// The engine's own process; `None` if it cannot be seen, as when it is on another machine. No process is
    /// judged then.
    pub daemon: Option<u32>,
    /// Every process that is an engine, this one and others.
    pub daemons: BTreeSet<u32>,
    /// Where shims of this engine are known to belong.
    pub homes: BTreeSet<ShimHome>,
    /// The engine's containers before the processes were read.
    pub before: BTreeMap<ContainerId, KnownContainer>,
    /// The processes that have to do with containers. Those that have ended and were not waited for are not among
    /// them.
    pub processes: Vec<Process>,
    /// The engine's containers after the processes were read.
    pub after: BTreeMap<ContainerId, KnownContainer>,
}

/// A container as the engine knows it, whoever's it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownContainer {
    /// Its name.
    pub name: String,
    /// Whether the engine says that it has processes, or may have: running, paused, restarting.
    pub alive: bool,
    /// Whose it is, if an agent's.
    pub owner: Option<String>,
    /// The job it says it runs.
    pub job: Option<String>,
    /// The ports the engine publishes for it now.
    pub routes: BTreeSet<Route>,
}

/// From a port of the host to one of a container.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// Of both ports.
    pub protocol: Protocol,
    /// The port of the host.
    pub host_port: u16,
    /// The container's address.
    pub container_ip: IpAddr,
    /// The container's port.
    pub container_port: u16,
}

/// One process, for as long as the machine is up: its number alone may be given to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProcessId {
    /// Its number.
    pub pid: u32,
    /// When it started, in clock ticks since boot.
    pub started: u64,
}

/// A process that has to do with containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Which one.
    pub id: ProcessId,
    /// The number of its parent.
    pub parent: u32,
    /// Its command, as the kernel shortens it.
    pub command: String,
    /// What it has to do with containers.
    pub role: Role,
}

/// What a process has to do with containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// It runs in the control group of a container.
    Member {
        /// The outermost one.
        container: ContainerId,
    },
    /// It looks after the processes of a container.
    Shim {
        /// Which one.
        container: ContainerId,
        /// On whose behalf.
        home: ShimHome,
    },
    /// It holds a port of the host for a container.
    Proxy(Route),
}

/// On whose behalf a shim looks after a container. Two engines on one machine differ in this.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShimHome {
    /// Where its `containerd` listens.
    pub address: String,
    /// The namespace in there.
    pub namespace: String,
}

impl Look {
    /// The container as the engine knew it last.
    pub(super) fn known(&self, id: &ContainerId) -> Option<&KnownContainer> {
        self.after.get(id).or_else(|| self.before.get(id))
    }

    /// Whether the engine said of that container, at either time, that it has processes.
    pub(super) fn is_alive(&self, id: &ContainerId) -> bool {
        [&self.before, &self.after]
            .into_iter()
            .any(|known| known.get(id).is_some_and(|container| container.alive))
    }

    /// The containers that have that port of the host, as the engine said at either time.
    pub(super) fn served_by<'a>(
        &'a self,
        route: &'a Route,
    ) -> impl Iterator<Item = (&'a ContainerId, &'a KnownContainer)> {
        self.before
            .iter()
            .chain(&self.after)
            .filter(|(_, container)| container.alive && container.routes.contains(route))
    }

    /// Whether a process is this engine's child, or at least no other engine's that runs.
    pub(super) fn is_of_another_daemon(&self, parent: u32) -> bool {
        self.daemons.contains(&parent) && self.daemon != Some(parent)
    }

    /// Whether this engine is the only one on the machine, so that what has no other mark is its.
    pub(super) fn is_alone(&self) -> bool {
        self.daemon
            .is_some_and(|daemon| self.daemons.iter().all(|other| *other == daemon))
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        };
        write!(
            f,
            "port {}/{protocol} for {}:{}",
            self.host_port, self.container_ip, self.container_port
        )
    }
}
