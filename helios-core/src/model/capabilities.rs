//! Linux capabilities, in the order that a job's hash depends on.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::read::Member;

/// The number of buckets a table starts with.
const BUCKETS_MIN: usize = 16;
/// A bucket with more than this many items doubles a small table.
const BUCKET_ITEMS_MAX: usize = 8;
/// A table of at least this many buckets is not small.
const BUCKETS_SMALL: usize = 64;

/// A set of Linux capability names.
///
/// Deployed Helios clients compute job ids over the iteration order of a Java `HashSet`. This set
/// therefore keeps exactly that order, which hardly depends on the order of insertion: only texts
/// that share a bucket stay in the order they came.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Capabilities(Vec<String>);

impl Capabilities {
    /// The names, in the order of the set.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether that name is one of them.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|item| item == name)
    }

    pub(super) fn as_slice(&self) -> &[String] {
        &self.0
    }
}

impl<T: Into<String>> FromIterator<T> for Capabilities {
    fn from_iter<I: IntoIterator<Item = T>>(names: I) -> Self {
        let mut table = Table::new();
        for name in names {
            table.insert(name.into());
        }
        Self(table.into_items())
    }
}

impl<T: Into<String>> Extend<T> for Capabilities {
    fn extend<I: IntoIterator<Item = T>>(&mut self, names: I) {
        let kept = std::mem::take(&mut self.0);
        *self = kept
            .into_iter()
            .chain(names.into_iter().map(Into::into))
            .collect();
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(&self.0).finish()
    }
}

impl Serialize for Capabilities {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl Member for Capabilities {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<String>::read(deserializer)?.into_iter().collect())
    }
}

impl<'de> Deserialize<'de> for Capabilities {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(deserializer)
    }
}

/// A hash table that grows and iterates as Java's does.
struct Table {
    buckets: Vec<Vec<(u32, String)>>,
    len: usize,
}

impl Table {
    fn new() -> Self {
        Self {
            buckets: vec![Vec::new(); BUCKETS_MIN],
            len: 0,
        }
    }

    fn insert(&mut self, item: String) {
        let hash = spread_hash(&item);
        let small = self.buckets.len() < BUCKETS_SMALL;
        let bucket = self.bucket(hash);
        if bucket.iter().any(|(_, other)| *other == item) {
            return;
        }
        bucket.push((hash, item));
        let crowded = bucket.len() > BUCKET_ITEMS_MAX;
        self.len += 1;
        if crowded && small {
            self.double();
        }
        if self.len > self.buckets.len() / 4 * 3 {
            self.double();
        }
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "the mask keeps the index below the length"
    )]
    fn bucket(&mut self, hash: u32) -> &mut Vec<(u32, String)> {
        let mask = self.buckets.len() - 1;
        &mut self.buckets[hash as usize & mask]
    }

    fn double(&mut self) {
        let size = self.buckets.len() * 2;
        let old = std::mem::replace(&mut self.buckets, vec![Vec::new(); size]);
        for (hash, item) in old.into_iter().flatten() {
            self.bucket(hash).push((hash, item));
        }
    }

    fn into_items(self) -> Vec<String> {
        self.buckets
            .into_iter()
            .flatten()
            .map(|(_, item)| item)
            .collect()
    }
}

/// The hash of Java's `String`, with its upper half folded into the lower one as `HashMap` does.
fn spread_hash(text: &str) -> u32 {
    let hash = text.encode_utf16().fold(0_u32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(unit.into())
    });
    hash ^ (hash >> 16)
}
