//! The `StateDir` port: what an agent must remember across restarts.

use std::error::Error as StdError;
use std::fmt;

use async_trait::async_trait;

mod file;

pub use file::FileStateDir;

/// A few small named documents that survive the process.
///
/// A name is 1 to 64 of `a-z 0-9 . -`, a letter first.
#[async_trait]
pub trait StateDir: fmt::Debug + Send + Sync + 'static {
    /// Reads the document of that name.
    ///
    /// # Guarantees
    /// Yields a document that was saved whole, never a part; `None` if there never was one.
    ///
    /// # Errors
    /// [`StateDirError`] when it cannot be read. The caller must not take that for "there is none".
    ///
    /// # Cancellation
    /// Harmless.
    async fn load(&self, name: &str) -> Result<Option<Vec<u8>>, StateDirError>;

    /// Replaces the document of that name.
    ///
    /// # Guarantees
    /// After `Ok` it survives a crash of the process and of the machine; after an error, or a crash on the
    /// way, the old document or the new one is there.
    ///
    /// # Errors
    /// [`StateDirError`], as on a full disk.
    ///
    /// # Idempotence
    /// Saving the same again changes nothing.
    async fn save(&self, name: &str, document: &[u8]) -> Result<(), StateDirError>;

    /// Moves an unreadable document of that name aside, so that it can be looked at, and is `None` from now on.
    ///
    /// # Guarantees
    /// Nothing is deleted. Yields where the document is now.
    ///
    /// # Errors
    /// [`StateDirError`].
    async fn set_aside(&self, name: &str) -> Result<String, StateDirError>;
}

/// A state directory that did not do what was asked.
#[derive(Debug)]
pub struct StateDirError {
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl StateDirError {
    /// An error; `message` names the file and what was tried.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source: None,
        }
    }

    /// This error, caused by that one.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for StateDirError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for StateDirError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}
