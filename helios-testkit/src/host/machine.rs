//! A machine as it is told to be.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use helios_core::agent::{Machine, PortHolder};
use helios_core::model::HostInfo;
use helios_core::runtime::Protocol;

type Ports = BTreeMap<(Protocol, u16), Option<PortHolder>>;

/// A machine with no facts, and the ports in use that a test takes. Clones are the same machine.
#[derive(Clone, Debug, Default)]
pub struct FakeMachine(Arc<Mutex<Ports>>);

impl FakeMachine {
    /// A machine on which nothing listens.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Has something listen on the port.
    pub fn take_port(&self, protocol: Protocol, port: u16, holder: Option<PortHolder>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert((protocol, port), holder);
    }
}

impl Machine for FakeMachine {
    fn info(&self) -> HostInfo {
        HostInfo::default()
    }

    fn ports_in_use(&self) -> Ports {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
