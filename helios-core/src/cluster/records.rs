//! The records of one directory.

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use imbl::OrdMap;
use imbl::ordmap::DiffItem;
use serde::de::DeserializeOwned;

use crate::schema::Versioned;
use crate::store::{Change, Entry, Key, Snapshot, StoreError};

/// The records of one directory by name, and what there could not be read.
///
/// One bad entry takes nothing else with it. A clone costs nothing, and shares what does not change.
#[derive(Clone)]
pub struct Records<K, T> {
    readable: OrdMap<K, Versioned<T>>,
    unreadable: OrdMap<Key, Arc<Unreadable>>,
}

/// An entry that is there, but is not what its place says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Where it lies.
    pub key: Key,
    /// What is wrong with it.
    pub reason: String,
}

impl Unreadable {
    pub(super) fn because(key: Key, error: &StoreError) -> Self {
        Self {
            key,
            reason: reason(error),
        }
    }
}

/// What is wrong with an entry, whose key is told anyhow.
fn reason(error: &StoreError) -> String {
    match error.source() {
        Some(cause) => cause.to_string(),
        None => error.to_string(),
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be read: {}", self.key, self.reason)
    }
}

impl<K: Ord + Clone, T> Records<K, T> {
    /// The record of that name, if it is there and can be read.
    #[must_use]
    pub fn get(&self, name: &K) -> Option<&Versioned<T>> {
        self.readable.get(name)
    }

    /// As [`get`](Self::get), with the name as it is kept.
    pub(super) fn get_entry(&self, name: &K) -> Option<(&K, &Versioned<T>)> {
        self.readable.get_key_value(name)
    }

    /// All records that can be read, in the order of their names.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &Versioned<T>)> {
        self.readable.iter()
    }

    /// The names of all records that can be read, in order.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.readable.keys()
    }

    /// The number of records that can be read.
    #[must_use]
    pub fn len(&self) -> usize {
        self.readable.len()
    }

    /// Whether no record can be read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.readable.is_empty()
    }

    /// The entry of that key, if it is there and cannot be read.
    pub(super) fn unreadable_at(&self, key: impl FnOnce() -> Key) -> Option<&Arc<Unreadable>> {
        if self.unreadable.is_empty() {
            return None;
        }
        self.unreadable.get(&key())
    }

    /// The entries that cannot be read, in the order of their keys.
    pub fn unreadable(&self) -> impl Iterator<Item = &Unreadable> {
        self.unreadable.values().map(AsRef::as_ref)
    }
}

impl<K: Ord + Clone, T: PartialEq> Records<K, T> {
    /// The names of the records that were added, changed or taken away since those `older` ones, in order. What both share is
    /// skipped without a look, so of two views of one watch it costs what changed, not what is there.
    pub fn changed_since<'a>(&'a self, older: &'a Self) -> impl Iterator<Item = &'a K> {
        older.readable.diff(&self.readable).map(|item| match item {
            DiffItem::Add(name, _)
            | DiffItem::Remove(name, _)
            | DiffItem::Update { new: (name, _), .. } => name,
        })
    }
}

impl<K: Ord + Clone + FromStr<Err: fmt::Display>, T: DeserializeOwned> Records<K, T> {
    /// The records of a `snapshot` of `dir`.
    #[must_use]
    pub fn decode(dir: &Key, snapshot: &Snapshot) -> Self {
        let mut records = Self::default();
        records.advance(dir, &Snapshot::new(), snapshot);
        records
    }

    /// Makes the records of the `older` snapshot those of the `newer` one, decoding only what changed.
    /// Returns whether anything did.
    pub fn advance(&mut self, dir: &Key, older: &Snapshot, newer: &Snapshot) -> bool {
        self.advance_sharing(dir, older, newer, |_| ())
    }

    /// As [`advance`](Self::advance); `share` may have each new record share parts with others.
    pub(super) fn advance_sharing(
        &mut self,
        dir: &Key,
        older: &Snapshot,
        newer: &Snapshot,
        mut share: impl FnMut(&mut T),
    ) -> bool {
        let mut changed = false;
        for change in newer.changes_since(older) {
            changed = true;
            match change {
                Change::Put { name, entry } => self.put(dir, name, entry, &mut share),
                Change::Gone { name } => self.forget(dir, name),
            }
        }
        changed
    }

    fn put(&mut self, dir: &Key, name: &str, entry: &Entry, share: &mut impl FnMut(&mut T)) {
        // Names were segments of keys already, so this never fails.
        let Ok(key) = dir.child(name) else { return };
        match read(&key, entry) {
            Ok((name, mut record)) => {
                Arc::get_mut(&mut record.record).map(share);
                self.unreadable.remove(&key);
                self.readable.insert(name, record);
            }
            Err(reason) => {
                self.forget(dir, name);
                let unreadable = Unreadable {
                    key: key.clone(),
                    reason,
                };
                self.unreadable.insert(key, Arc::new(unreadable));
            }
        }
    }

    fn forget(&mut self, dir: &Key, name: &str) {
        if let Ok(name) = name.parse::<K>() {
            self.readable.remove(&name);
        }
        if let Ok(key) = dir.child(name) {
            self.unreadable.remove(&key);
        }
    }
}

/// The name and record of an entry, or why it has none.
fn read<K, T>(key: &Key, entry: &Entry) -> Result<(K, Versioned<T>), String>
where
    K: FromStr<Err: fmt::Display>,
    T: DeserializeOwned,
{
    let name = key
        .name()
        .parse()
        .map_err(|error: K::Err| error.to_string())?;
    let record = Versioned::decode(key, entry).map_err(|error| reason(&error))?;
    Ok((name, record))
}

impl<K: Ord + Clone, T> Default for Records<K, T> {
    fn default() -> Self {
        Self {
            readable: OrdMap::new(),
            unreadable: OrdMap::new(),
        }
    }
}

impl<K: Ord + Clone + fmt::Debug, T: fmt::Debug> fmt::Debug for Records<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter())
            .entries(self.unreadable.iter())
            .finish()
    }
}

#[cfg(test)]
mod tests;
