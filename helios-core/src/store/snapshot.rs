//! The entries of one place in the store at one time.

use std::fmt;
use std::sync::Arc;

use imbl::OrdMap;
use imbl::ordmap::DiffItem;

use super::Entry;

/// Entries by name, as one read saw them.
///
/// A persistent map: a clone costs nothing, and the [changes](Self::changes_since) between two
/// snapshots of one watch cost what changed, not what is there.
///
/// A snapshot is not atomic across entries: two entries may be seen at two different times. What must
/// be read together lies in one entry.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Snapshot(OrdMap<Arc<str>, Entry>);

/// One difference between two snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// The entry is there now, new or with another version or value.
    Put {
        /// The entry's name.
        name: &'a str,
        /// What is there now.
        entry: &'a Entry,
    },
    /// The entry is gone.
    Gone {
        /// The entry's name.
        name: &'a str,
    },
}

impl Snapshot {
    /// A snapshot of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The entry of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.0.get(name)
    }

    /// All entries in the order of their names.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &Entry)> {
        self.0.iter().map(|(name, entry)| (&**name, entry))
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds or replaces an entry; for backends that keep a cache.
    pub fn insert(&mut self, name: impl Into<Arc<str>>, entry: Entry) {
        self.0.insert(name.into(), entry);
    }

    /// Takes an entry out; for backends that keep a cache.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// What must be done to `older` to make it this snapshot, in the order of names.
    ///
    /// Parts that both share are skipped without a look.
    pub fn changes_since<'a>(&'a self, older: &'a Self) -> impl Iterator<Item = Change<'a>> {
        older.0.diff(&self.0).map(|item| match item {
            DiffItem::Add(name, entry)
            | DiffItem::Update {
                new: (name, entry), ..
            } => Change::Put { name, entry },
            DiffItem::Remove(name, _) => Change::Gone { name },
        })
    }
}

impl<N: Into<Arc<str>>> FromIterator<(N, Entry)> for Snapshot {
    fn from_iter<I: IntoIterator<Item = (N, Entry)>>(entries: I) -> Self {
        Self(
            entries
                .into_iter()
                .map(|(name, entry)| (name.into(), entry))
                .collect(),
        )
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Version;
    use bytes::Bytes;

    fn entry(text: &'static str, version: u64) -> Entry {
        Entry {
            value: Bytes::from_static(text.as_bytes()),
            version: Version::from_raw(version),
        }
    }

    #[test]
    fn changes_lead_from_the_older_to_the_newer() {
        let older: Snapshot = [("a", entry("1", 1)), ("b", entry("2", 1))]
            .into_iter()
            .collect();
        let mut newer = older.clone();
        newer.insert("a", entry("1", 2));
        newer.remove("b");
        newer.insert("c", entry("3", 1));
        let changes: Vec<_> = newer.changes_since(&older).collect();
        assert_eq!(
            changes,
            [
                Change::Put {
                    name: "a",
                    entry: &entry("1", 2)
                },
                Change::Gone { name: "b" },
                Change::Put {
                    name: "c",
                    entry: &entry("3", 1)
                },
            ]
        );
        assert_eq!(newer.changes_since(&newer.clone()).count(), 0);
    }
}
