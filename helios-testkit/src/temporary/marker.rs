//! Files that say which test processes live: each holds a lock on its own for as long as it does.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::prefix::{Prefix, Process};

/// Where the markers of this machine's test processes are.
pub(super) fn folder() -> PathBuf {
    std::env::temp_dir().join("helios-temporary-jobs")
}

/// The marker of a prefix in use. The lock ends with the process, however it ends.
#[derive(Debug)]
pub(super) struct Marker {
    path: PathBuf,
    _held: File,
}

impl Marker {
    /// Marks the prefix as in use.
    pub(super) fn set(folder: &Path, prefix: &Prefix) -> io::Result<Self> {
        make_shared(folder)?;
        let path = folder.join(prefix.to_string());
        // Under its name it is never without its lock: whoever finds it free knows that its process is gone.
        let new = folder.join(format!("new-{prefix}"));
        let held = File::create(&new)?;
        held.lock()?;
        fs::rename(&new, &path)?;
        Ok(Self { path, _held: held })
    }

    /// Takes the marker away: nothing of its prefix is left.
    pub(super) fn clear(self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether the process of a prefix lives, and the marker if it is gone and this process now has it.
pub(super) fn look(folder: &Path, prefix: &Prefix) -> (Process, Option<Marker>) {
    let path = folder.join(prefix.to_string());
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(_) => return (Process::Unknown, None),
    };
    match file.try_lock() {
        Ok(()) => (Process::Gone, Some(Marker { path, _held: file })),
        Err(TryLockError::WouldBlock) => (Process::Lives, None),
        Err(TryLockError::Error(_)) => (Process::Unknown, None),
    }
}

/// All prefixes that have a marker.
pub(super) fn prefixes(folder: &Path) -> Vec<Prefix> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| Prefix::of(&entry.file_name().to_string_lossy()))
        .collect()
}

/// Every user of the machine may keep markers there, and take away only their own.
fn make_shared(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o1777))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use helios_core::Timestamp;

    use super::*;

    #[test]
    fn a_marker_tells_whether_its_process_lives() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("markers");
        let prefix = Prefix::new(Timestamp::from_millis(0), 1);
        assert_eq!(look(&folder, &prefix).0, Process::Unknown);

        let marker = Marker::set(&folder, &prefix).unwrap();
        assert_eq!(look(&folder, &prefix).0, Process::Lives);
        assert_eq!(prefixes(&folder), std::slice::from_ref(&prefix));

        // As if the process had been killed: the lock is gone, the file is not.
        drop(marker);
        let (process, found) = look(&folder, &prefix);
        assert_eq!(process, Process::Gone);
        let found = found.expect("it is ours now");
        assert_eq!(
            look(&folder, &prefix).0,
            Process::Lives,
            "two do not sweep at once"
        );
        found.clear();
        assert_eq!(look(&folder, &prefix).0, Process::Unknown);
        assert!(prefixes(&folder).is_empty());
    }
}
