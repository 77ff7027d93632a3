//! Whose containers they are.

use std::fmt;

use thiserror::Error;

/// The identity under which one agent owns containers on one engine.
///
/// Two agents may share an engine if their owners differ: neither ever sees or touches the other's
/// containers. The text is 1 to 64 of `A-Z a-z 0-9 _ -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner(String);

/// A text that cannot be an [`Owner`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{text:?} cannot own containers: use 1 to 64 of A-Z a-z 0-9 _ -")]
pub struct OwnerError {
    text: String,
}

impl Owner {
    /// The owner of that name.
    ///
    /// # Errors
    /// [`OwnerError`] when the text is empty, too long or has another character.
    pub fn new(text: impl Into<String>) -> Result<Self, OwnerError> {
        let text = text.into();
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if (1..=64).contains(&text.len()) && text.bytes().all(legal) {
            Ok(Self(text))
        } else {
            Err(OwnerError { text })
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
