//! Ending processes, and no others.

use helios_core::orphans::{Process, ProcessId, Role, Route};
use helios_core::runtime::{ContainerId, RuntimeError, RuntimeErrorKind};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::proc::Seen;

/// Kills what is left of a container: its processes, then its shim, which would otherwise wait for an engine
/// for ever.
pub(super) fn processes_of(
    container: &ContainerId,
    processes: &[Process],
) -> Result<(), RuntimeError> {
    let is_shim = |process: &&Process| matches!(process.role, Role::Shim { .. });
    let members = processes.iter().filter(|process| !is_shim(process));
    for process in members.chain(processes.iter().filter(is_shim)) {
        kill(process.id, |seen| match seen.role(&[]) {
            Some(Role::Shim { container: of, .. }) => of == *container,
            _ => seen.containers().contains(container),
        })?;
    }
    Ok(())
}

/// Kills the process that holds that port.
pub(super) fn proxy(process: ProcessId, route: &Route) -> Result<(), RuntimeError> {
    kill(process, |seen| {
        seen.role(seen.containers()) == Some(Role::Proxy(route.clone()))
    })
}

/// Kills the process if it is the one that is meant, and still what it was.
///
/// The handle is taken before the look, and the signal goes to the handle: a process that gets the number in
/// between cannot be hit.
fn kill(process: ProcessId, is_meant: impl FnOnce(&Seen) -> bool) -> Result<(), RuntimeError> {
    let failed = |error: Errno| {
        let message = format!("could not end process {}; is the agent root?", process.pid);
        RuntimeError::new(RuntimeErrorKind::Failed, message).caused_by(error)
    };
    let Some(pid) = i32::try_from(process.pid).ok().and_then(Pid::from_raw) else {
        return Ok(());
    };
    let handle = match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(handle) => handle,
        Err(Errno::SRCH) => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    match Seen::read(process.pid) {
        Some(seen) if seen.id(process.pid) == process && is_meant(&seen) => {
            match pidfd_send_signal(&handle, Signal::KILL) {
                Ok(()) | Err(Errno::SRCH) => Ok(()),
                Err(error) => Err(failed(error)),
            }
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_process_that_is_not_the_one_that_was_seen_is_left_alone() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let seen = Seen::read(child.id()).unwrap().id(child.id());
        let reborn = ProcessId {
            started: seen.started + 1,
            ..seen
        };
        kill(reborn, |_| true).unwrap();
        kill(seen, |_| false).unwrap();
        let container = ContainerId::new("a".repeat(64));
        let left = Process {
            id: seen,
            parent: 1,
            command: "sleep".to_owned(),
            role: Role::Member {
                container: container.clone(),
            },
        };
        processes_of(&container, &[left]).unwrap();
        assert!(child.try_wait().unwrap().is_none(), "it was killed");
        kill(seen, |_| true).unwrap();
        assert!(!child.wait().unwrap().success());
        kill(seen, |_| true).unwrap();
    }
}
