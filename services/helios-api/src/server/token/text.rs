//! How tokens are written.

use std::fmt::Write as _;
use std::io;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What every token begins with, so that tools that look for leaked secrets find it.
const PREFIX: &str = "helios_";
/// The longest name, in characters.
const NAME_CHARS_MAX: usize = 64;
/// The random part, in bytes.
const SECRET_BYTES: usize = 32;

/// A token as it is written, with its secret.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct TokenText(String);

/// What is stored of a token: its SHA-256, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(transparent)]
pub(super) struct TokenHash(String);

/// Whether a token may be called that: letters, digits, dots and hyphens, beginning with a letter or digit.
pub(super) fn is_name(name: &str) -> bool {
    name.len() <= NAME_CHARS_MAX
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
}

impl TokenText {
    /// A new token of that name.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub(super) fn random(name: &str) -> io::Result<Self> {
        let mut secret = [0; SECRET_BYTES];
        getrandom::fill(&mut secret).map_err(io::Error::other)?;
        Ok(Self(format!("{PREFIX}{name}_{}", hex(&secret))))
    }

    /// What a client gave, if it can be a token.
    pub(super) fn read(text: &str) -> Option<Self> {
        let token = Self(text.to_owned());
        is_name(token.name()).then_some(token)
    }

    /// The public part.
    pub(super) fn name(&self) -> &str {
        let named = self.0.strip_prefix(PREFIX).unwrap_or_default();
        named.rsplit_once('_').map_or("", |(name, _)| name)
    }

    pub(super) fn hash(&self) -> TokenHash {
        TokenHash(hex(&Sha256::digest(self.0.as_bytes())))
    }

    pub(super) fn into_secret(self) -> String {
        self.0
    }
}

impl TokenHash {
    /// Whether both are the same. Takes the same time wherever they differ.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
