//! What makes one change differ from every other.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::store::{Key, KeyError};

/// The identity of one change, unique for all time.
///
/// Its audit record is created in the same transaction as the change. So a change whose outcome was
/// lost with a connection is decided by a look for the record, and a repeated one cannot happen twice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(String);

impl OperationId {
    /// The text of the id; always a legal segment of a key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The longest text for one start of one process, in bytes; a count follows it in every id.
const INCARNATION_BYTES_MAX: usize = 128;

/// Makes operation ids: those of one incarnation of one process, counted.
#[derive(Debug)]
pub struct OperationIds {
    incarnation: String,
    next: AtomicU64,
}

impl OperationIds {
    /// Ids for `incarnation`, which must differ for every start of every process that ever uses the
    /// store. Simulations choose it; others prefer [`random`](Self::random).
    ///
    /// # Errors
    /// [`KeyError`] unless it is 1 to 128 of the characters of a key segment.
    pub fn new(incarnation: impl Into<String>) -> Result<Self, KeyError> {
        let incarnation = incarnation.into();
        Key::new("audit")?.child(&incarnation)?;
        if incarnation.len() > INCARNATION_BYTES_MAX {
            let segment = incarnation;
            return Err(KeyError::Segment { segment });
        }
        Ok(Self::counting(incarnation))
    }

    /// Ids for an incarnation drawn at random by the operating system.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn random() -> io::Result<Self> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        Ok(Self::counting(format!(
            "{:032x}",
            u128::from_be_bytes(bytes)
        )))
    }

    fn counting(incarnation: String) -> Self {
        Self {
            incarnation,
            next: AtomicU64::new(0),
        }
    }

    /// Which start of which process the ids belong to.
    #[must_use]
    pub fn incarnation(&self) -> &str {
        &self.incarnation
    }

    /// An id that was never given before.
    #[must_use]
    pub fn next(&self) -> OperationId {
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        OperationId(format!("{}-{count}", self.incarnation))
    }
}
