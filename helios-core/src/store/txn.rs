//! A change of the store, all or nothing.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::{Key, StoreError, StoreErrorKind, Version};

/// The largest value of one entry, in bytes.
pub const VALUE_BYTES_MAX: usize = 512 * 1024;

/// The largest transaction, in bytes: the sum of its keys and values.
pub const TXN_BYTES_MAX: usize = 768 * 1024;

/// The most operations in one transaction.
pub const TXN_OPS_MAX: usize = 1000;

/// One operation of a [`Txn`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// The entry must be there at this version.
    Check {
        /// Which entry.
        key: Key,
        /// The version it must have.
        version: Version,
    },
    /// The entry must be absent, and is put there.
    Create {
        /// Which entry.
        key: Key,
        /// Its value.
        value: Bytes,
        /// Whether the entry vanishes with the session of the store handle that created it.
        ephemeral: bool,
    },
    /// The entry must be there at this version, and gets a new value.
    Update {
        /// Which entry.
        key: Key,
        /// The version it must have.
        version: Version,
        /// Its new value.
        value: Bytes,
    },
    /// The entry must be there at this version, and is removed.
    Delete {
        /// Which entry.
        key: Key,
        /// The version it must have.
        version: Version,
    },
}

impl Op {
    /// The entry the operation is about.
    #[must_use]
    pub fn key(&self) -> &Key {
        match self {
            Self::Check { key, .. }
            | Self::Create { key, .. }
            | Self::Update { key, .. }
            | Self::Delete { key, .. } => key,
        }
    }

    fn value_bytes(&self) -> usize {
        match self {
            Self::Create { value, .. } | Self::Update { value, .. } => value.len(),
            Self::Check { .. } | Self::Delete { .. } => 0,
        }
    }
}

/// A list of operations that are committed together or not at all.
///
/// There is no unconditional write: a create needs absence, everything else needs a version. A key
/// stands in a transaction at most once.
///
/// ```
/// use helios_core::store::{Key, Txn, Version};
///
/// let txn = Txn::new()
///     .check(Key::new("jobs/web:1")?, Version::from_raw(3))
///     .create(Key::new("hosts/web1")?, "{}");
/// assert_eq!(txn.ops().len(), 2);
/// # Ok::<(), helios_core::store::KeyError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a transaction does nothing until it is committed"]
pub struct Txn {
    ops: Vec<Op>,
}

impl Txn {
    /// A transaction of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Demands that `key` is at `version`.
    pub fn check(self, key: Key, version: Version) -> Self {
        self.with(Op::Check { key, version })
    }

    /// Creates `key`, which must be absent.
    pub fn create(self, key: Key, value: impl Into<Bytes>) -> Self {
        self.with(Op::Create {
            key,
            value: value.into(),
            ephemeral: false,
        })
    }

    /// Creates `key`, which must be absent, to vanish with the session of the committing store.
    pub fn create_ephemeral(self, key: Key, value: impl Into<Bytes>) -> Self {
        self.with(Op::Create {
            key,
            value: value.into(),
            ephemeral: true,
        })
    }

    /// Gives `key`, which must be at `version`, a new value.
    pub fn update(self, key: Key, version: Version, value: impl Into<Bytes>) -> Self {
        self.with(Op::Update {
            key,
            version,
            value: value.into(),
        })
    }

    /// Removes `key`, which must be at `version`.
    pub fn delete(self, key: Key, version: Version) -> Self {
        self.with(Op::Delete { key, version })
    }

    /// The operations in the order they were added.
    #[must_use]
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// Whether there is nothing to commit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Says whether every store must refuse this transaction whatever it holds; backends call it
    /// first, so that all of them refuse the same ones.
    ///
    /// # Errors
    /// [`LimitExceeded`](StoreErrorKind::LimitExceeded) over one of the limits above,
    /// [`Invalid`](StoreErrorKind::Invalid) when a key stands twice.
    pub fn validate(&self) -> Result<(), StoreError> {
        if self.ops.len() > TXN_OPS_MAX {
            return Err(over_limit(format!(
                "a transaction of {} operations: {TXN_OPS_MAX} is the most, split it",
                self.ops.len()
            )));
        }
        let mut bytes = 0;
        let mut seen = BTreeSet::new();
        for op in &self.ops {
            let key = op.key();
            if op.value_bytes() > VALUE_BYTES_MAX {
                let message = format!(
                    "{key}: {} bytes, {VALUE_BYTES_MAX} is the most",
                    op.value_bytes()
                );
                return Err(over_limit(message).at(key.clone()));
            }
            bytes += op.value_bytes() + key.as_str().len();
            if !seen.insert(key) {
                let message = format!("{key} stands twice in one transaction");
                return Err(StoreError::new(StoreErrorKind::Invalid, message).at(key.clone()));
            }
        }
        if bytes > TXN_BYTES_MAX {
            return Err(over_limit(format!(
                "a transaction of {bytes} bytes: {TXN_BYTES_MAX} is the most, split it"
            )));
        }
        Ok(())
    }

    fn with(mut self, op: Op) -> Self {
        self.ops.push(op);
        self
    }
}

fn over_limit(message: String) -> StoreError {
    StoreError::new(StoreErrorKind::LimitExceeded, message)
}
