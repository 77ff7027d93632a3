//! What is there on this host.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::JobId;
use crate::runtime::{Container, Containers, Protocol};

use super::Memory;

/// The host ports that tasks have: by job, then by the name of the port.
pub type Leases = BTreeMap<JobId, Arc<BTreeMap<String, u16>>>;

/// What one look at the host saw, and what is remembered of earlier ones.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The agent's containers, or `None` while the engine cannot be read. Nothing is done to containers
    /// then.
    pub containers: Option<Containers>,
    /// The leases that are safely stored.
    pub leases: Arc<Leases>,
    /// Whether leases cannot be stored now, so that none may be given or taken back.
    pub leases_frozen: bool,
    /// What is remembered of each task.
    pub memories: BTreeMap<JobId, Memory>,
    /// Ports that something on the host listens on.
    pub ports_in_use: BTreeSet<(Protocol, u16)>,
}

impl Observed {
    pub(crate) fn container(&self, name: &str) -> Option<&Container> {
        self.containers.as_ref()?.get(name)
    }
}
