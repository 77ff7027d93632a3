//! How a job is called.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ParseError;
use super::read::Member;

const EXPECTED: &str = "use name:version or name:version:hash";
const HASH_CHARS: usize = 40;
const SHORT_HASH_CHARS: usize = 7;

/// The name of a job: `name:version`, or `name:version:hash` once its content has been hashed.
///
/// Cheap to clone. Ordered by name, then version, then hash, with "no hash" first. Serialised as one
/// string, so it can be the key of a JSON map. The parts never contain `:`; which characters they
/// may contain is decided by [`validate`](super::validate).
///
/// ```
/// use helios_core::model::JobId;
///
/// let id: JobId = "web:7".parse()?;
/// assert_eq!((id.name(), id.version(), id.hash()), ("web", "7", None));
/// assert!(!id.is_fully_qualified());
/// # Ok::<(), helios_core::model::ParseError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct JobId(Arc<str>);

impl JobId {
    /// The id of a job whose content is not hashed yet.
    ///
    /// # Errors
    /// When name or version is empty or contains a `:`.
    pub fn new(name: &str, version: &str) -> Result<Self, ParseError> {
        let text = format!("{name}:{version}");
        let well_formed = [name, version]
            .iter()
            .all(|part| !part.is_empty() && !part.contains(':'));
        if well_formed {
            Ok(Self(text.into()))
        } else {
            Err(ParseError::new("a job id", &text, EXPECTED))
        }
    }

    /// Reads what a person may give to refer to a job: a full id, `name:version`, or a name alone.
    ///
    /// Trailing colons are dropped, as Helios clients expect.
    ///
    /// # Errors
    /// When there are more than three parts or nothing but colons.
    pub fn parse_reference(text: &str) -> Result<Self, ParseError> {
        Self::from_parts(text, 1).ok_or_else(|| {
            ParseError::new(
                "a job reference",
                text,
                "use name, name:version or name:version:hash",
            )
        })
    }

    /// The id with `text` as given and at least `parts_min` parts.
    fn from_parts(text: &str, parts_min: usize) -> Option<Self> {
        let text = text.trim_end_matches(':');
        let fits = !text.is_empty() && (parts_min..=3).contains(&text.split(':').count());
        fits.then(|| Self(text.into()))
    }

    /// Stands for "no id" while a document is being read; no text parses to it.
    pub(super) fn missing() -> Self {
        Self("".into())
    }

    pub(super) fn is_missing(&self) -> bool {
        self.0.is_empty()
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.part(0).unwrap_or_default()
    }

    /// The version; empty in a reference by name alone.
    #[must_use]
    pub fn version(&self) -> &str {
        self.part(1).unwrap_or_default()
    }

    /// The hash of the job's content, if the id carries one.
    #[must_use]
    pub fn hash(&self) -> Option<&str> {
        self.part(2)
    }

    fn part(&self, index: usize) -> Option<&str> {
        self.0.split(':').nth(index)
    }

    /// Whether this names exactly one content: it has a name, a version and a hash of full length.
    #[must_use]
    pub fn is_fully_qualified(&self) -> bool {
        !self.name().is_empty()
            && !self.version().is_empty()
            && self.hash().is_some_and(|hash| hash.len() == HASH_CHARS)
    }

    /// The form for people: the hash cut to seven characters.
    #[must_use]
    pub fn short(&self) -> String {
        match self.hash() {
            Some(hash) => {
                let hash: String = hash.chars().take(SHORT_HASH_CHARS).collect();
                format!("{}:{}:{hash}", self.name(), self.version())
            }
            None => self.0.to_string(),
        }
    }

    /// The same name and version without a hash.
    #[must_use]
    pub fn without_hash(&self) -> Self {
        match self.hash() {
            Some(_) => Self(format!("{}:{}", self.name(), self.version()).into()),
            None => self.clone(),
        }
    }

    /// The same name and version with that hash.
    pub(super) fn with_hash(&self, hash: &str) -> Self {
        Self(format!("{}:{}:{hash}", self.name(), self.version()).into())
    }

    /// The written form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for JobId {
    type Err = ParseError;

    /// Reads `name:version` or `name:version:hash`. Trailing colons are dropped, as Helios clients
    /// expect.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::from_parts(text, 2).ok_or_else(|| ParseError::new("a job id", text, EXPECTED))
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JobId({})", self.0)
    }
}

impl Ord for JobId {
    /// Part by part: a colon sorts before whatever a part may hold, and ids are compared too often to be
    /// taken apart for it.
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) {
            return Ordering::Equal;
        }
        let rank = |byte: u8| if byte == b':' { 0 } else { u16::from(byte) + 1 };
        self.0.bytes().map(rank).cmp(other.0.bytes().map(rank))
    }
}

impl PartialOrd for JobId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Serialize for JobId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for JobId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

optional_member!(JobId);

impl Member for JobId {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(<Option<Self>>::read(deserializer)?.unwrap_or_else(Self::missing))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn id(text: &str) -> JobId {
        text.parse().unwrap()
    }

    #[test]
    fn needs_two_or_three_parts() {
        for text in ["", "a", "a:", ":", "::", "a:b:c:d", ":::d"] {
            assert!(text.parse::<JobId>().is_err(), "{text:?}");
        }
        assert_eq!(id("a:b::").to_string(), "a:b");
        assert_eq!((id(":b").name(), id(":b").version()), ("", "b"));
        assert_eq!(id("foo::x").hash(), Some("x"));
        assert!(serde_json::from_str::<JobId>(r#"{"name":"a"}"#).is_err());
    }

    #[test]
    fn a_reference_may_be_a_name_alone() {
        let name = JobId::parse_reference("web").unwrap();
        assert_eq!((name.name(), name.version()), ("web", ""));
        assert!(JobId::parse_reference("a:b:c:d").is_err());
        assert!(JobId::new("a:b", "c").is_err());
    }

    #[test]
    fn orders_by_part_and_not_by_text() {
        let mut ids = ["a-b:1", "a:2:ffff", "a:2", "a:10"].map(id);
        ids.sort();
        assert_eq!(ids, ["a:10", "a:2", "a:2:ffff", "a-b:1"].map(id));
    }

    #[test]
    fn is_full_only_with_forty_characters_of_hash() {
        let full = format!("web:7:{}", "1".repeat(40));
        assert!(id(&full).is_fully_qualified());
        assert!(!id("web:7:1111111").is_fully_qualified());
        assert_eq!(id(&full).short(), "web:7:1111111");
        assert_eq!(id(&full).without_hash(), id("web:7"));
    }

    #[test]
    fn is_a_key_in_json() {
        let map = BTreeMap::from([(id("web:7"), 1)]);
        let json = serde_json::to_string(&map).unwrap();
        assert_eq!(json, r#"{"web:7":1}"#);
        assert_eq!(
            serde_json::from_str::<BTreeMap<JobId, i32>>(&json).unwrap(),
            map
        );
    }
}
