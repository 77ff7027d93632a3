//! Where an entry lies in the store.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

/// The longest segment of a key, in bytes.
pub const KEY_SEGMENT_BYTES_MAX: usize = 255;

/// The most segments a key can have.
pub const KEY_SEGMENTS_MAX: usize = 8;

/// A path of validated segments, written `hosts/web1`.
///
/// A segment is 1 to [`KEY_SEGMENT_BYTES_MAX`] of the characters `A-Z a-z 0-9 . _ : -`, and neither
/// `.` nor `..`. Because a `Key` can only be made from such segments, no input can ever reach a
/// place in the store that the schema did not mean.
///
/// ```
/// use helios_core::store::Key;
///
/// let hosts = Key::new("hosts")?;
/// let host = hosts.child("web1.example.net")?;
/// assert_eq!(host.to_string(), "hosts/web1.example.net");
/// assert_eq!(host.parent(), Some(hosts));
/// assert!(Key::new("hosts/../jobs").is_err());
/// # Ok::<(), helios_core::store::KeyError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

/// A text that is no key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A segment is empty, too long, `.` or `..`, or has a character outside the alphabet.
    #[error(
        "{segment:?} cannot be part of a store key: use 1 to {KEY_SEGMENT_BYTES_MAX} of A-Z a-z 0-9 . _ : -"
    )]
    Segment {
        /// The segment as given.
        segment: String,
    },
    /// The key has more than [`KEY_SEGMENTS_MAX`] segments.
    #[error("{key:?} has more than {KEY_SEGMENTS_MAX} segments")]
    TooDeep {
        /// The key as given.
        key: String,
    },
}

impl Key {
    /// Reads a key from its written form, segments joined by `/`.
    ///
    /// # Errors
    /// [`KeyError`] when a segment breaks the rules above or there are too many of them.
    pub fn new(text: &str) -> Result<Self, KeyError> {
        for segment in text.split('/') {
            check_segment(segment)?;
        }
        if text.split('/').count() > KEY_SEGMENTS_MAX {
            return Err(KeyError::TooDeep {
                key: text.to_owned(),
            });
        }
        Ok(Self(text.into()))
    }

    /// The key of `segment` directly below this one.
    ///
    /// # Errors
    /// [`KeyError`] when the segment breaks the rules above or the key becomes too deep.
    pub fn child(&self, segment: &str) -> Result<Self, KeyError> {
        check_segment(segment)?;
        Self::new(&format!("{}/{segment}", self.0))
    }

    /// The last segment.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The directory this key lies in, or `None` for a key of one segment.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.0
            .rsplit_once('/')
            .map(|(parent, _)| Self(parent.into()))
    }

    /// Whether this key lies below `dir`, at any depth.
    #[must_use]
    pub fn is_below(&self, dir: &Self) -> bool {
        self.0
            .strip_prefix(&*dir.0)
            .is_some_and(|rest| rest.starts_with('/'))
    }

    /// The segments from the top.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The written form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check_segment(segment: &str) -> Result<(), KeyError> {
    let legal =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-');
    let fits = (1..=KEY_SEGMENT_BYTES_MAX).contains(&segment.len());
    if fits && segment != "." && segment != ".." && segment.bytes().all(legal) {
        Ok(())
    } else {
        Err(KeyError::Segment {
            segment: segment.to_owned(),
        })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.0)
    }
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_could_escape_the_schema() {
        for text in [
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            ".",
            "a/..",
            "a b",
            "a\nb",
            "é",
            "a/b/c/d/e/f/g/h/i",
        ] {
            assert!(Key::new(text).is_err(), "{text:?}");
        }
        assert!(Key::new(&"x".repeat(256)).is_err());
    }

    #[test]
    fn a_child_is_one_segment() {
        let dir = Key::new("jobs").unwrap();
        assert!(dir.child("a/b").is_err());
        assert_eq!(dir.child("web:1:abc").unwrap().name(), "web:1:abc");
        assert!(!Key::new("jobs2/x").unwrap().is_below(&dir));
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_comes_back_unchanged(text in "[a-zA-Z0-9._:/-]{0,40}") {
            if let Ok(key) = Key::new(&text) {
                prop_assert_eq!(key.to_string(), text);
                prop_assert!(key.segments().all(|s| s != ".." && s != "." && !s.is_empty()));
            }
        }
    }
}
