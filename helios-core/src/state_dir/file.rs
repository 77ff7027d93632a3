//! Files in a directory.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use super::{StateDir, StateDirError};

/// A directory of files, held by one process at a time.
///
/// Opening takes a lock that the operating system gives back when the process ends, however it ends.
#[derive(Debug)]
pub struct FileStateDir {
    dir: PathBuf,
    _lock: File,
}

impl FileStateDir {
    /// Opens the directory, making it if need be, and locks it.
    ///
    /// # Errors
    /// [`StateDirError`] when it cannot be made or written, or when another process holds it.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, StateDirError> {
        let dir = dir.into();
        let failed = |what: &str, error: io::Error| {
            let hint = "check that the path is right and writable by this user";
            StateDirError::new(format!(
                "state directory {}: cannot {what}; {hint}",
                dir.display()
            ))
            .caused_by(error)
        };
        fs::create_dir_all(&dir).map_err(|error| failed("create it", error))?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(dir.join("lock"))
            .map_err(|error| failed("write in it", error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { dir, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StateDirError::new(format!(
                "state directory {} is in use by another process: stop that one, or use another directory",
                dir.display()
            ))),
            Err(TryLockError::Error(error)) => Err(failed("lock it", error)),
        }
    }

    /// Where the directory is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.dir
    }

    fn file(&self, name: &str) -> Result<PathBuf, StateDirError> {
        let legal = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-')
        };
        let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase());
        if starts_well && name.len() <= 64 && name.bytes().all(legal) && name != "lock" {
            Ok(self.dir.join(name))
        } else {
            Err(StateDirError::new(format!(
                "{name:?} cannot name a state document"
            )))
        }
    }
}

#[async_trait]
impl StateDir for FileStateDir {
    async fn load(&self, name: &str) -> Result<Option<Vec<u8>>, StateDirError> {
        let file = self.file(name)?;
        off_thread(move || match fs::read(&file) {
            Ok(document) => Ok(Some(document)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", &file, error)),
        })
        .await
    }

    async fn save(&self, name: &str, document: &[u8]) -> Result<(), StateDirError> {
        let file = self.file(name)?;
        let (dir, document) = (self.dir.clone(), document.to_vec());
        off_thread(move || {
            replace(&dir, &file, &document).map_err(|error| failed("write", &file, error))
        })
        .await
    }

    async fn set_aside(&self, name: &str) -> Result<String, StateDirError> {
        let file = self.file(name)?;
        off_thread(move || {
            let mut aside = file.with_extension("unreadable");
            let mut count = 1;
            while aside.exists() {
                count += 1;
                aside = file.with_extension(format!("unreadable-{count}"));
            }
            fs::rename(&file, &aside).map_err(|error| failed("set aside", &file, error))?;
            Ok(aside.display().to_string())
        })
        .await
    }
}

/// Writes beside the file and renames over it: whoever looks sees the old document or the new one.
fn replace(dir: &Path, file: &Path, document: &[u8]) -> io::Result<()> {
    let beside = file.with_extension("new");
    let mut new = File::create(&beside)?;
    new.write_all(document)?;
    new.sync_data()?;
    fs::rename(&beside, file)?;
    File::open(dir)?.sync_all()
}

fn failed(what: &str, file: &Path, error: io::Error) -> StateDirError {
    StateDirError::new(format!("cannot {what} the state file {}", file.display())).caused_by(error)
}

async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StateDirError> + Send + 'static,
) -> Result<T, StateDirError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(StateDirError::new("the state file was not finished").caused_by(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_documents_across_openings() {
        let dir = tempfile::tempdir().unwrap();
        let state = FileStateDir::open(dir.path()).unwrap();
        assert_eq!(state.load("agent.json").await.unwrap(), None);
        state.save("agent.json", b"one").await.unwrap();
        state.save("agent.json", b"two").await.unwrap();
        drop(state);
        let state = FileStateDir::open(dir.path()).unwrap();
        assert_eq!(
            state.load("agent.json").await.unwrap(),
            Some(b"two".to_vec())
        );
    }

    #[test]
    fn a_second_opening_is_refused_while_the_first_lasts() {
        let dir = tempfile::tempdir().unwrap();
        let first = FileStateDir::open(dir.path()).unwrap();
        let error = FileStateDir::open(dir.path()).unwrap_err().to_string();
        assert!(error.contains("in use by another process"), "{error}");
        drop(first);
        FileStateDir::open(dir.path()).unwrap();
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_kept_aside() {
        let dir = tempfile::tempdir().unwrap();
        let state = FileStateDir::open(dir.path()).unwrap();
        state.save("agent.json", b"{").await.unwrap();
        let aside = state.set_aside("agent.json").await.unwrap();
        assert_eq!(state.load("agent.json").await.unwrap(), None);
        assert_eq!(fs::read(aside).unwrap(), b"{");
        assert!(state.save("../x", b"").await.is_err());
    }
}
