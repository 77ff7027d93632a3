//! What can go wrong with a store.

use std::error::Error as StdError;
use std::fmt;

use super::Key;

/// What a caller branches on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// A precondition did not hold: the entry is there, is gone, or has another version. Nothing was
    /// written. Read again and decide anew.
    Conflict,
    /// The outcome is unknown: the transaction was committed, or will be, or never will be. Never
    /// repeat it blindly; read again and look for the mark it would have left.
    Indeterminate,
    /// The store cannot be reached now. Nothing was written.
    Unavailable,
    /// The request is over one of the public limits. Nothing was written.
    LimitExceeded,
    /// The credentials do not allow it. Nothing was written.
    Denied,
    /// What is stored cannot be understood.
    Corrupt,
    /// The request breaks the contract, whatever is stored: a fault of the caller. Nothing was written.
    Invalid,
}

/// A request that a store did not fulfil.
///
/// The message names the entry and what was tried; the cause, if any, is in
/// [`source`](StdError::source) and not repeated in the message.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
    key: Option<Key>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl StoreError {
    /// An error of that kind; `message` says what was tried and with which entry.
    #[must_use]
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            key: None,
            source: None,
        }
    }

    /// The error that says which precondition of a transaction failed.
    #[must_use]
    pub fn conflict(key: Key, found: &str) -> Self {
        Self::new(StoreErrorKind::Conflict, format!("{key}: {found}")).at(key)
    }

    /// This error, about that entry.
    #[must_use]
    pub fn at(mut self, key: Key) -> Self {
        self.key = Some(key);
        self
    }

    /// This error, caused by that one.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// The entry it is about, where there is just one.
    #[must_use]
    pub fn key(&self) -> Option<&Key> {
        self.key.as_ref()
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            StoreErrorKind::Conflict => "the store changed meanwhile",
            StoreErrorKind::Indeterminate => "it is not known whether the store took the change",
            StoreErrorKind::Unavailable => "the store cannot be reached",
            StoreErrorKind::LimitExceeded => "too large for the store",
            StoreErrorKind::Denied => "the store refused the credentials",
            StoreErrorKind::Corrupt => "the store holds something unreadable",
            StoreErrorKind::Invalid => "not a legal store request",
        };
        write!(f, "{what}: {}", self.message)
    }
}

impl StdError for StoreError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}
