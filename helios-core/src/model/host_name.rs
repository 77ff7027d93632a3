//! How a host is called.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ParseError;

/// The longest host name, in bytes.
pub const HOST_NAME_BYTES_MAX: usize = 253;

/// The longest label, the part between two dots, in bytes.
const LABEL_BYTES_MAX: usize = 63;

/// The name of a host: labels of letters, digits and inner hyphens, joined by dots (RFC 1123).
///
/// Cheap to clone. Ordered as plain text; people prefer [`natural_cmp`](super::natural_cmp).
///
/// ```
/// use helios_core::model::HostName;
///
/// assert!("n1.example.net".parse::<HostName>().is_ok());
/// assert!("../jobs".parse::<HostName>().is_err());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HostName(Arc<str>);

impl HostName {
    /// The written form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_label(label: &str) -> bool {
    (1..=LABEL_BYTES_MAX).contains(&label.len())
        && label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

impl FromStr for HostName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.len() <= HOST_NAME_BYTES_MAX && text.split('.').all(is_label) {
            Ok(Self(text.into()))
        } else {
            Err(ParseError::new(
                "a host name",
                text,
                "use labels of letters, digits and inner hyphens, joined by dots, at most 253 bytes",
            ))
        }
    }
}

impl AsRef<str> for HostName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostName({})", self.0)
    }
}

impl Serialize for HostName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for HostName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_names_with_and_without_a_domain() {
        for text in ["a", "web-1", "1.2.3.4", "N1.Example.net", &"a".repeat(63)] {
            assert_eq!(text.parse::<HostName>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn refuses_what_is_no_name_or_could_leave_its_place() {
        let long = ["a".repeat(63).as_str(); 4].join(".");
        let label = "a".repeat(64);
        for text in [
            "",
            ".",
            "..",
            "a/b",
            "a..b",
            "a.",
            ".a",
            "-a",
            "a-",
            "a_b",
            "a b",
            "é",
            "a:1",
            "a\n",
            long.as_str(),
            label.as_str(),
        ] {
            assert!(text.parse::<HostName>().is_err(), "{text:?}");
        }
    }
}
