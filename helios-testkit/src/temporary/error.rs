//! What can go wrong with the jobs of a test.

use std::error::Error as StdError;
use std::fmt;

/// What a caller branches on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TemporaryErrorKind {
    /// There is nothing to run containers on: no engine, no master, no host.
    NoPlace,
    /// The job cannot be what the test wants: it breaks rules, or its name is taken.
    BadJob,
    /// The job ended, or cannot start.
    Failed,
    /// The job was not ready in time.
    TimedOut,
    /// What runs the containers did not answer as it should.
    Unavailable,
}

/// Why a test does not have its job.
///
/// The message is for whoever reads the output of a failed test: what was wanted, what was seen last, what the
/// container wrote, and what to do. `Debug` shows the same, since that is what a test prints that returns an
/// error.
pub struct TemporaryError {
    kind: TemporaryErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl TemporaryError {
    pub(super) fn new(kind: TemporaryErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    pub(super) fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    pub(super) fn because(
        message: impl Into<String>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self::new(TemporaryErrorKind::Unavailable, message).caused_by(source)
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> TemporaryErrorKind {
        self.kind
    }
}

impl fmt::Display for TemporaryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for TemporaryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&helios_core::with_causes(self))
    }
}

impl StdError for TemporaryError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}
