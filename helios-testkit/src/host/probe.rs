//! A probe that sees what it is told.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use helios_core::runtime::{ContainerId, Probe, ProbeTarget};

/// Finds every container well, or unwell, as a test says. Clones are the same probe.
#[derive(Clone, Debug, Default)]
pub struct FakeProbe(Arc<Mutex<Option<String>>>);

impl FakeProbe {
    /// A probe that finds everything well.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on everything is well, or what is said here is seen instead.
    pub fn see(&self, trouble: Option<&str>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = trouble.map(ToOwned::to_owned);
    }
}

#[async_trait]
impl Probe for FakeProbe {
    async fn probe(
        &self,
        _container: &ContainerId,
        _target: &ProbeTarget,
        _timeout: Duration,
    ) -> Result<(), String> {
        let trouble = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.clone().map_or(Ok(()), Err)
    }
}
