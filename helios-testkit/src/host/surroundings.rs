//! An engine and its processes, as they are told to be.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use helios_core::orphans::{Look, Surroundings, What};
use helios_core::runtime::RuntimeError;

/// Shows the look that a test gives it, and keeps what it was told to end. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct FakeSurroundings(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    look: Look,
    looks: u64,
    reaped: Vec<What>,
}

impl FakeSurroundings {
    /// An engine without containers on a machine without processes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes what is seen from now on.
    pub fn change(&self, change: impl FnOnce(&mut Look)) {
        change(&mut self.state().look);
    }

    /// How often somebody looked.
    #[must_use]
    pub fn looks(&self) -> u64 {
        self.state().looks
    }

    /// All that was to be ended, in this order.
    #[must_use]
    pub fn reaped(&self) -> Vec<What> {
        self.state().reaped.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Surroundings for FakeSurroundings {
    async fn look(&self) -> Result<Look, RuntimeError> {
        let mut state = self.state();
        state.looks += 1;
        Ok(state.look.clone())
    }

    async fn reap(&self, what: &What) -> Result<(), RuntimeError> {
        self.state().reaped.push(what.clone());
        Ok(())
    }
}
