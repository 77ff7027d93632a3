//! Which containers are known to be the owner's.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bollard::Docker;
use bollard::query_parameters::InspectContainerOptions;
use helios_core::runtime::{Container, ContainerId, Owner, RuntimeError};
use tokio::time::timeout;

use crate::failure::{Call, failure, status, timed_out};
use crate::runtime::DockerRuntime;

/// The ids seen with the owner's label. An id never changes hands, so one look is enough for its life, and
/// a start that follows a create costs no extra call.
#[derive(Debug, Default)]
pub(crate) struct Owned(Mutex<BTreeSet<ContainerId>>);

impl Owned {
    pub(crate) fn learn(&self, id: &ContainerId) {
        self.ids().insert(id.clone());
    }

    pub(crate) fn forget(&self, id: &ContainerId) {
        self.ids().remove(id);
    }

    pub(crate) fn knows(&self, id: &ContainerId) -> bool {
        self.ids().contains(id)
    }

    fn ids(&self) -> MutexGuard<'_, BTreeSet<ContainerId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DockerRuntime {
    /// Whether the container is there and the owner's.
    pub(crate) async fn owns(&self, call: Call, id: &ContainerId) -> Result<bool, RuntimeError> {
        Ok(self.owned.knows(id) || self.inspect(call, id).await?.is_some())
    }

    /// The container as it is now; `None` if it is gone or not the owner's.
    pub(crate) async fn inspect(
        &self,
        call: Call,
        id: &ContainerId,
    ) -> Result<Option<Container>, RuntimeError> {
        // Docker takes names and parts of ids too, and the text becomes part of a path.
        if id.as_str().is_empty() || !id.as_str().bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Ok(None);
        }
        let look = inspect(&self.client, &self.owner, id.as_str());
        let outcome = timeout(self.timeouts.read, look).await;
        let seen = outcome
            .map_err(|_| timed_out(call, id.as_str()))?
            .map_err(|error| failure(call, id.as_str(), error))?
            .filter(|container| container.id == *id);
        match &seen {
            Some(container) => self.owned.learn(&container.id),
            None => self.owned.forget(id),
        }
        Ok(seen)
    }
}

/// The container of that name or id; `None` if it is gone or not the owner's.
async fn inspect(
    client: &Docker,
    owner: &Owner,
    name_or_id: &str,
) -> Result<Option<Container>, bollard::errors::Error> {
    let options = None::<InspectContainerOptions>;
    match client.inspect_container(name_or_id, options).await {
        Ok(seen) => Ok(crate::container::inspected(owner, seen)),
        Err(error) if status(&error) == Some(404) => Ok(None),
        Err(error) => Err(error),
    }
}
