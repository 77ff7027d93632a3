//! What must be remembered to know one's own again.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::runtime::Owner;

use super::{Look, Process, ProcessId, Role};

/// What an agent remembers of its containers, so that it knows what is left of them when the engine does not.
///
/// The ids of containers are long and random, and a process is itself until the machine goes down: either proves
/// whose an orphan is. Names, addresses and ports do not, since somebody else may have had them since.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Records {
    boot: String,
    containers: BTreeMap<String, ContainerRecord>,
    proxies: Vec<ProxyRecord>,
    former: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ContainerRecord {
    pub(super) engine: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) job: Option<String>,
}

/// A process that was seen holding a port for a container of ours while that ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProxyRecord {
    process: ProcessId,
    container: String,
}

impl Records {
    /// Remembers that the agent of that id had this host before, and has it no more.
    pub fn succeed(&mut self, former: impl Into<String>) {
        self.former.insert(former.into());
    }

    /// The ids that this agent's containers may carry besides its own.
    #[must_use]
    pub fn former(&self) -> &BTreeSet<String> {
        &self.former
    }

    /// What is to be remembered after a look: everything of the owner's that is there, and what was remembered
    /// of anything that has left a trace. What has left none is forgotten, so this does not grow.
    #[must_use]
    pub fn after(&self, look: &Look, owner: &Owner) -> Self {
        if look.daemon.is_none() {
            return self.clone();
        }
        let mut next = Self {
            boot: look.boot.clone(),
            former: self.former.clone(),
            ..Self::default()
        };
        let there: BTreeSet<ProcessId> = look.processes.iter().map(|p| p.id).collect();
        if self.boot == look.boot {
            let alive = |proxy: &&ProxyRecord| there.contains(&proxy.process);
            next.proxies = self.proxies.iter().filter(alive).cloned().collect();
        }
        for process in &look.processes {
            if let (Some(container), false) = (serves(look, process, owner), next.knows(process.id))
            {
                let process = process.id;
                next.proxies.push(ProxyRecord { process, container });
            }
        }
        let mut traces: BTreeSet<&str> = next.proxies.iter().map(|p| &*p.container).collect();
        traces.extend(look.processes.iter().filter_map(container_of));
        traces.extend(
            look.before
                .keys()
                .chain(look.after.keys())
                .map(|id| id.as_str()),
        );
        let traced = self.containers.iter();
        let traced = traced.filter(|(id, _)| traces.contains(id.as_str()));
        next.containers = traced
            .map(|(id, record)| (id.clone(), record.clone()))
            .collect();
        for (id, container) in look.before.iter().chain(&look.after) {
            if container.owner.as_deref() == Some(owner.as_str()) {
                let (engine, job) = (look.engine.clone(), container.job.clone());
                let record = ContainerRecord { engine, job };
                next.containers.insert(id.as_str().to_owned(), record);
            }
        }
        next
    }

    pub(super) fn container(&self, id: &str) -> Option<&ContainerRecord> {
        self.containers.get(id)
    }

    /// The container that this very process held a port for.
    pub(super) fn of_proxy(&self, process: ProcessId, boot: &str) -> Option<&ContainerRecord> {
        let proxy = self.proxies.iter().find(|proxy| proxy.process == process);
        let proxy = proxy.filter(|_| self.boot == boot)?;
        self.containers.get(&proxy.container)
    }

    fn knows(&self, process: ProcessId) -> bool {
        self.proxies.iter().any(|proxy| proxy.process == process)
    }
}

/// The container of the owner's that the process holds a port for, now and without doubt.
fn serves(look: &Look, process: &Process, owner: &Owner) -> Option<String> {
    let Role::Proxy(route) = &process.role else {
        return None;
    };
    if look.daemon != Some(process.parent) {
        return None;
    }
    let mut behind: BTreeSet<&str> = BTreeSet::new();
    for (id, container) in look.served_by(route) {
        if container.owner.as_deref() != Some(owner.as_str()) {
            return None;
        }
        behind.insert(id.as_str());
    }
    match behind.len() {
        1 => behind.pop_first().map(ToOwned::to_owned),
        _ => None,
    }
}

fn container_of(process: &Process) -> Option<&str> {
    match &process.role {
        Role::Member { container } | Role::Shim { container, .. } => Some(container.as_str()),
        Role::Proxy(_) => None,
    }
}
