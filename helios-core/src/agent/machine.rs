//! The `Machine` port: what an agent asks of the host it runs on.

use std::collections::BTreeMap;
use std::fmt;

use crate::model::HostInfo;
use crate::runtime::Protocol;

mod linux;

pub use linux::LinuxMachine;

/// Facts about the host itself.
///
/// Reads are short and do not block on anything but the kernel.
pub trait Machine: fmt::Debug + Send + Sync + 'static {
    /// Names, sizes and load; what cannot be read is left empty.
    fn info(&self) -> HostInfo;

    /// The ports that something on this host listens on, each with who it is where that can be seen.
    fn ports_in_use(&self) -> BTreeMap<(Protocol, u16), Option<PortHolder>>;
}

/// A process that listens on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortHolder {
    /// Its process id.
    pub pid: u32,
    /// Its command.
    pub command: String,
}

impl fmt::Display for PortHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} ({})", self.pid, self.command)
    }
}
