//! A machine as it is told to be.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use helios_core::agent::{Machine, PortHolder};
use helios_core::model::HostInfo;
use helios_core::runtime::Protocol;

type Ports = BTreeMap<(Protocol, u16), Option<PortHolder>>;

/// A machine with the facts and the ports in use that a test gives it. Clones are the same machine.
#[derive(Clone, Debug, Default)]
pub struct FakeMachine(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    info: HostInfo,
    ports: Ports,
}

impl FakeMachine {
    /// A machine on which nothing listens.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes the facts about the machine: its boot id after a reboot, say.
    pub fn change_info(&self, change: impl FnOnce(&mut HostInfo)) {
        change(&mut self.state().info);
    }

    /// Has something listen on the port.
    pub fn take_port(&self, protocol: Protocol, port: u16, holder: Option<PortHolder>) {
        self.state().ports.insert((protocol, port), holder);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Machine for FakeMachine {
    fn info(&self) -> HostInfo {
        self.state().info.clone()
    }

    fn ports_in_use(&self) -> Ports {
        self.state().ports.clone()
    }
}
