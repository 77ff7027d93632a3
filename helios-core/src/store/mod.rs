//! The `Store` port: a small versioned tree, with no domain noun in it.

mod entry;
mod error;
mod key;
mod snapshot;
mod txn;

use std::fmt;

use async_trait::async_trait;
use futures_core::stream::BoxStream;

pub use entry::{Entry, Version};
pub use error::{StoreError, StoreErrorKind};
pub use key::{KEY_SEGMENT_BYTES_MAX, KEY_SEGMENTS_MAX, Key, KeyError};
pub use snapshot::{Change, Snapshot};
pub use txn::{Op, TXN_BYTES_MAX, TXN_OPS_MAX, Txn, VALUE_BYTES_MAX};

/// What a watch looks at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// One entry. The snapshot holds it under the key's last segment, or is empty.
    Entry(Key),
    /// The entries directly below a key.
    Children(Key),
}

impl Scope {
    /// The key the scope was made from.
    #[must_use]
    pub fn key(&self) -> &Key {
        match self {
            Self::Entry(key) | Self::Children(key) => key,
        }
    }
}

/// Where desired state lives: entries in a tree, each with a version.
///
/// An entry is a leaf: nothing lies below it. Directories are implied by the entries below them and
/// are never made or removed. Every implementation passes the conformance suite of `helios-testkit`,
/// one case for each numbered guarantee; all handles and clones of one store see one tree.
///
/// There are no default methods on purpose: a wrapper that forgets to forward one would lose it silently.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Reads one entry.
    ///
    /// # Guarantees
    /// * S-01 An entry that was never created, or is deleted, is `None`.
    /// * S-02 What this handle committed, it reads: a read after an acknowledged commit sees that commit or
    ///   a later one.
    /// * S-03 Reads of one entry through one handle never go back to an older state.
    ///
    /// # Errors
    /// `Unavailable`, `Denied`, `Corrupt`.
    ///
    /// # Cancellation
    /// Reads change nothing; dropping the future is harmless.
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError>;

    /// Reads the entries directly below `dir`.
    ///
    /// # Guarantees
    /// * S-04 Exactly the direct children are listed, in the order of their names; an absent directory is
    ///   empty, not an error.
    /// * S-05 S-02 and S-03 hold for every entry listed. The entries may be of different times.
    ///
    /// # Errors
    /// `Unavailable`, `Denied`, `Corrupt`.
    ///
    /// # Cancellation
    /// Reads change nothing; dropping the future is harmless.
    async fn list(&self, dir: &Key) -> Result<Snapshot, StoreError>;

    /// Commits all operations of `txn`, or none.
    ///
    /// # Guarantees
    /// * S-06 All or nothing, also when the process dies in the middle; nobody ever reads a part.
    /// * S-07 Of transactions that need the same version of an entry, at most one is committed.
    /// * S-08 The entry's version differs after every update. An entry created again after a delete may
    ///   repeat an old version.
    /// * S-09 `Ok` means durable: the change survives whatever the store promises to survive.
    /// * S-10 Any error but `Indeterminate` means that nothing was written.
    /// * S-11 An ephemeral entry vanishes when the session of the handle that created it ends; until then it
    ///   is an entry like any other, also for other handles.
    /// * S-12 The limits ([`VALUE_BYTES_MAX`], [`TXN_BYTES_MAX`], [`TXN_OPS_MAX`]) are enforced before
    ///   anything is sent or written. An empty transaction is `Ok` and changes nothing.
    /// * S-13 An entry with entries below it, or below another entry, is refused as `Invalid`.
    ///
    /// # Errors
    /// `Conflict` names the key whose precondition failed; `Indeterminate`, `Unavailable`,
    /// `LimitExceeded`, `Denied`, `Invalid`.
    ///
    /// # Cancellation
    /// A dropped commit is like an `Indeterminate` one: it may have happened.
    async fn commit(&self, txn: Txn) -> Result<(), StoreError>;

    /// Follows one entry or one directory.
    ///
    /// # Guarantees
    /// * S-14 The first item is the present.
    /// * S-15 After every later commit in the scope a complete snapshot at or after that commit follows;
    ///   bursts may merge, so items must never be counted.
    /// * S-16 Snapshots never go back in time. Consecutive snapshots share what did not change.
    /// * S-17 An `Err` item reports trouble and does not end the stream; the stream ends only with the store.
    /// * S-18 A slow reader loses intermediate states, never the last one, and never holds up commits.
    ///
    /// # Errors
    /// As `list`, as items of the stream.
    ///
    /// # Cancellation
    /// Dropping the stream ends the watch and frees what it held.
    fn watch(&self, scope: Scope) -> BoxStream<'static, Result<Snapshot, StoreError>>;
}
