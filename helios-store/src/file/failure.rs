//! Why the disk did not do as it was told.

use std::io;
use std::path::Path;
use std::sync::Arc;

use helios_core::store::{StoreError, StoreErrorKind};

/// A fault of the disk, to be told to everybody who waits for the same write.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    kind: StoreErrorKind,
    message: String,
    source: Option<Arc<redb::Error>>,
}

impl Failure {
    /// A fault that the store itself found.
    pub(super) fn new(kind: StoreErrorKind, message: String) -> Self {
        Self {
            kind,
            message,
            source: None,
        }
    }

    /// What the file holds makes no sense.
    pub(super) fn corrupt(path: &Path, found: &str) -> Self {
        let message = format!(
            "{}: {found}; restore the file from a backup, or move it away to begin with an empty store",
            path.display()
        );
        Self::new(StoreErrorKind::Corrupt, message)
    }

    /// The database said no when `tried` was tried with the file at `path`.
    pub(super) fn of(path: &Path, tried: &str, error: impl Into<redb::Error>) -> Self {
        let error = error.into();
        let mut failure = match kind(&error) {
            StoreErrorKind::Corrupt => Self::corrupt(path, "the file is damaged"),
            kind => Self::new(kind, format!("{}: cannot {tried}", path.display())),
        };
        failure.source = Some(Arc::new(error));
        failure
    }

    /// The same fault when it is not known what it did to the last write.
    pub(super) fn indeterminate(mut self) -> Self {
        self.kind = StoreErrorKind::Indeterminate;
        self
    }

    /// The error for one of those who wait.
    pub(super) fn to_error(&self) -> StoreError {
        let error = StoreError::new(self.kind, self.message.clone());
        match &self.source {
            Some(source) => error.caused_by(Arc::clone(source)),
            None => error,
        }
    }
}

fn kind(error: &redb::Error) -> StoreErrorKind {
    match error {
        redb::Error::Io(error) => match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => StoreErrorKind::Corrupt,
            io::ErrorKind::PermissionDenied => StoreErrorKind::Denied,
            _ => StoreErrorKind::Unavailable,
        },
        redb::Error::Corrupted(_)
        | redb::Error::UpgradeRequired(_)
        | redb::Error::RepairAborted
        | redb::Error::TableTypeMismatch { .. }
        | redb::Error::TableIsMultimap(_)
        | redb::Error::TypeDefinitionChanged { .. }
        | redb::Error::TableDoesNotExist(_) => StoreErrorKind::Corrupt,
        _ => StoreErrorKind::Unavailable,
    }
}
