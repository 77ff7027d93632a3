//! What the containers of a test run on.

use std::sync::Arc;

use helios_core::Runtime;
use helios_core::agent::{LinuxMachine, Machine};
use helios_core::runtime::{Logs, Owner, Probe};

use super::knock::Knock;
use crate::host::{FakeMachine, FakeProbe};
use crate::runtime::FakeEngine;

/// What the containers of a test run on: a runtime, and what else is known of its engine.
#[derive(Clone, Debug)]
#[must_use]
pub struct Engine {
    pub(super) runtime: Arc<dyn Runtime>,
    pub(super) probe: Option<Arc<dyn Probe>>,
    pub(super) logs: Option<Arc<dyn Logs>>,
    pub(super) machine: Arc<dyn Machine>,
    pub(super) knock: Arc<dyn Probe>,
    pub(super) address: String,
}

impl Engine {
    /// A runtime of your own, on this machine.
    pub fn new(runtime: Arc<dyn Runtime>) -> Self {
        Self {
            runtime,
            probe: None,
            logs: None,
            machine: Arc::new(LinuxMachine),
            knock: Arc::new(Knock),
            address: "127.0.0.1".to_owned(),
        }
    }

    /// The engine in memory, on which everything is well and every port is open until `probe` sees otherwise.
    pub fn fake(engine: &FakeEngine, probe: &FakeProbe, owner: Owner) -> Self {
        let runtime = Arc::new(engine.runtime(owner));
        Self {
            machine: Arc::new(FakeMachine::new()),
            knock: Arc::new(probe.clone()),
            ..Self::new(runtime.clone())
                .probe(Arc::new(probe.clone()))
                .logs(runtime)
        }
    }

    /// With this the health checks of jobs are made. Without it a job that has one is never ready.
    pub fn probe(self, probe: Arc<dyn Probe>) -> Self {
        Self {
            probe: Some(probe),
            ..self
        }
    }

    /// From there comes what containers wrote, which is printed when a test fails.
    pub fn logs(self, logs: Arc<dyn Logs>) -> Self {
        Self {
            logs: Some(logs),
            ..self
        }
    }

    /// Where the ports of containers are reached; `127.0.0.1` unless said otherwise.
    pub fn address(self, address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            ..self
        }
    }
}
