//! A record and the version it was read at.

use std::ops::Deref;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::store::{Entry, Key, StoreError, Version};

use super::decode;

/// A record and the version it was read at: what a change of it is made from.
///
/// Cheap to clone; reads as the record itself.
#[derive(Debug, PartialEq, Eq)]
pub struct Versioned<T> {
    /// What an update or delete of this very state must name.
    pub version: Version,
    /// What was read.
    pub record: Arc<T>,
}

impl<T> Versioned<T> {
    /// `record`, as it was read at `version`.
    #[must_use]
    pub fn new(version: Version, record: T) -> Self {
        Self {
            version,
            record: Arc::new(record),
        }
    }
}

impl<T: DeserializeOwned> Versioned<T> {
    /// Decodes the entry that was read at `key`.
    ///
    /// # Errors
    /// `Corrupt`, naming the key, when the entry is not what its place says.
    pub fn decode(key: &Key, entry: &Entry) -> Result<Self, StoreError> {
        Ok(Self::new(entry.version, decode(key, &entry.value)?))
    }
}

impl<T> Clone for Versioned<T> {
    fn clone(&self) -> Self {
        Self {
            version: self.version,
            record: Arc::clone(&self.record),
        }
    }
}

impl<T> Deref for Versioned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.record
    }
}
