//! What lies at a key.

use bytes::Bytes;

/// The version of an entry: changes with every commit that touches the entry.
///
/// Opaque: only equality means anything, and a version may repeat after the entry was deleted and
/// created anew. Identity that matters belongs in the key or the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(u64);

impl Version {
    /// A version as a backend numbers it.
    #[must_use]
    pub const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    /// The backend's number.
    #[must_use]
    pub const fn as_raw(self) -> u64 {
        self.0
    }
}

/// A value and the version it was read at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The bytes that were committed.
    pub value: Bytes,
    /// What an update or delete of this very state must name.
    pub version: Version,
}
