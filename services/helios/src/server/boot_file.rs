//! A host whose boots are told by a file.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use helios_core::Timestamp;
use helios_core::agent::{LinuxMachine, Machine, PortHolder};
use helios_core::model::HostInfo;
use helios_core::runtime::Protocol;

/// This machine, but a file says which boot it is and since when it is up.
///
/// Where a host is a container itself, the kernel is that of many hosts, and does not notice when one of them restarts.
#[derive(Debug)]
pub(super) struct BootFile(pub(super) PathBuf);

impl BootFile {
    fn boot(&self) -> Option<(String, Timestamp)> {
        let text = fs::read_to_string(&self.0).ok()?;
        let written = fs::metadata(&self.0).ok()?.modified().ok()?;
        let millis = written.duration_since(UNIX_EPOCH).ok()?.as_millis();
        let boot = text.trim().to_owned();
        let up_since = Timestamp::from_millis(i64::try_from(millis).ok()?);
        (!boot.is_empty()).then_some((boot, up_since))
    }
}

impl Machine for BootFile {
    fn info(&self) -> HostInfo {
        let mut info = LinuxMachine.info();
        // Without the file nobody knows, and the host is never chosen.
        (info.boot_id, info.up_since) = self.boot().unzip();
        info
    }

    fn ports_in_use(&self) -> BTreeMap<(Protocol, u16), Option<PortHolder>> {
        LinuxMachine.ports_in_use()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boot_is_what_the_file_says_and_nothing_without_it() {
        let dir = tempfile::tempdir().unwrap();
        let machine = BootFile(dir.path().join("boot"));
        assert_eq!(machine.info().boot_id, None);
        fs::write(&machine.0, "first\n").unwrap();
        let info = machine.info();
        assert_eq!(info.boot_id.as_deref(), Some("first"));
        assert!(info.up_since.unwrap() > Timestamp::from_millis(1_700_000_000_000));
        assert_eq!(info.cpus, LinuxMachine.info().cpus);
    }
}
