//! Who has containers on the engine.

use std::collections::{BTreeSet, HashMap};

use bollard::query_parameters::ListContainersOptionsBuilder;
use helios_core::runtime::{Owner, RuntimeError};
use tokio::time::timeout;

use crate::failure::{Call, failure, timed_out};
use crate::labels;
use crate::runtime::DockerRuntime;

impl DockerRuntime {
    /// Everybody who has containers on this engine, whatever their state: to find what was left behind by
    /// those who are no more.
    ///
    /// # Errors
    /// `Unavailable`, `TimedOut`, `Failed`.
    ///
    /// # Cancellation
    /// Harmless.
    pub async fn owners(&self) -> Result<BTreeSet<Owner>, RuntimeError> {
        let filters = HashMap::from([("label", vec![labels::OWNER])]);
        let options = ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&filters)
            .build();
        let lines = timeout(
            self.timeouts.read,
            self.client.list_containers(Some(options)),
        )
        .await
        .map_err(|_| timed_out(Call::List, ""))?
        .map_err(|error| failure(Call::List, "", error))?;
        let owner = |found: &HashMap<String, String>| Owner::new(found.get(labels::OWNER)?).ok();
        Ok(lines
            .iter()
            .filter_map(|line| owner(line.labels.as_ref()?))
            .collect())
    }

    /// The containers of another owner on the same engine, over the same connections.
    #[must_use]
    pub fn of(&self, owner: Owner) -> Self {
        Self {
            owner,
            owned: Default::default(),
            ..self.clone()
        }
    }
}
