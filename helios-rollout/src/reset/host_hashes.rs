//! Many hosts in little space.

use helios_core::model::HostName;
use serde::{Deserialize, Serialize};

use crate::order::{Purpose, hash};

/// Which hosts: eight bytes for each, whatever their names.
///
/// A name is kept as its frozen 64-bit hash. Among ten thousand hosts two share one in one of a million million fleets; one of
/// them would then be taken for the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostHashes {
    /// Sorted.
    hashes: Vec<u64>,
}

const SALT: &str = "reset done";
/// Characters of one hash in text.
const DIGITS: usize = 16;

impl HostHashes {
    /// Whether the host is one of them.
    #[must_use]
    pub fn contains(&self, host: &HostName) -> bool {
        self.has(hash_of(host))
    }

    pub(super) fn has(&self, hash: u64) -> bool {
        self.hashes.binary_search(&hash).is_ok()
    }

    /// Adds a host.
    pub fn insert(&mut self, host: &HostName) {
        let hash = hash_of(host);
        if let Err(place) = self.hashes.binary_search(&hash) {
            self.hashes.insert(place, hash);
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }
}

pub(super) fn hash_of(host: &HostName) -> u64 {
    hash(Purpose::Host, SALT, host.as_str())
}

impl From<HostHashes> for String {
    fn from(hosts: HostHashes) -> Self {
        let texts = hosts.hashes.iter().map(|hash| format!("{hash:016x}"));
        texts.collect()
    }
}

impl TryFrom<String> for HostHashes {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let unreadable = || "the hosts are not written as hashes of 16 digits".to_owned();
        let hash = |digits: &[u8]| {
            let digits = std::str::from_utf8(digits).ok()?;
            u64::from_str_radix(digits, 16).ok()
        };
        let (chunks, rest) = text.as_bytes().as_chunks::<DIGITS>();
        let hashes: Option<Vec<u64>> = chunks.iter().map(|digits| hash(digits)).collect();
        let mut hashes = hashes.filter(|_| rest.is_empty()).ok_or_else(unreadable)?;
        hashes.sort_unstable();
        Ok(Self { hashes })
    }
}
