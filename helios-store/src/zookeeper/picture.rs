//! What a watch knows of the entries it follows.

use std::collections::BTreeMap;
use std::sync::Arc;

use helios_core::store::Snapshot;

use super::read::Found;

/// The entries of one place, and for each the transaction that last wrote it.
///
/// That number tells more than the version, which starts anew when an entry is deleted and created.
#[derive(Debug, Default)]
pub(super) struct Picture {
    snapshot: Snapshot,
    written: BTreeMap<Arc<str>, i64>,
}

impl Picture {
    pub(super) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Takes over what was read at `name`; says whether that is news.
    pub(super) fn set(&mut self, name: &str, found: Option<Found>) -> bool {
        let Some(found) = found else {
            self.snapshot.remove(name);
            return self.written.remove(name).is_some();
        };
        if self.written.get(name) == Some(&found.written) {
            return false;
        }
        let name: Arc<str> = name.into();
        self.snapshot.insert(Arc::clone(&name), found.entry);
        self.written.insert(name, found.written);
        true
    }

    /// Drops whatever is not among `names`, which are sorted; says whether anything was.
    pub(super) fn retain(&mut self, names: &[String]) -> bool {
        let gone: Vec<Arc<str>> = (self.written.keys())
            .filter(|name| {
                names
                    .binary_search_by(|other| other.as_str().cmp(name))
                    .is_err()
            })
            .cloned()
            .collect();
        for name in &gone {
            self.set(name, None);
        }
        !gone.is_empty()
    }

    /// The transaction that last wrote the entry, as far as is known.
    pub(super) fn written(&self, name: &str) -> Option<i64> {
        self.written.get(name).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use helios_core::store::{Entry, Version};

    fn found(written: i64) -> Option<Found> {
        Some(Found {
            entry: Entry {
                value: Bytes::new(),
                version: Version::from_raw(1),
            },
            written,
        })
    }

    #[test]
    fn only_another_write_is_news() {
        let mut picture = Picture::default();
        assert!(picture.set("a", found(5)));
        assert!(!picture.set("a", found(5)));
        // Deleted and created anew: the version is the same, the entry is not.
        assert!(picture.set("a", found(9)));
        assert!(picture.set("a", None));
        assert!(!picture.set("a", None));
        assert!(picture.snapshot().is_empty());
    }

    #[test]
    fn what_is_no_longer_listed_is_dropped() {
        let mut picture = Picture::default();
        for name in ["a", "b", "c"] {
            picture.set(name, found(1));
        }
        assert!(picture.retain(&["a".to_owned(), "c".to_owned(), "d".to_owned()]));
        assert!(!picture.retain(&["a".to_owned(), "c".to_owned()]));
        assert_eq!(picture.snapshot().len(), 2);
    }
}
