//! Who has containers on the engine.

use std::collections::{BTreeSet, HashMap};

use helios_core::runtime::{Owner, RuntimeError};

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
        let lines = self.labelled(labels::OWNER.to_owned()).await?;
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
