//! Secrets in debug output.

use std::collections::BTreeMap;
use std::fmt;

/// Shows that a secret is there, but not the secret.
pub(super) struct Redacted<'a>(pub(super) &'a str);

impl fmt::Debug for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "\"\"" } else { "***" })
    }
}

/// Shows the keys of a map whose values may be secret.
pub(super) struct RedactedValues<'a>(pub(super) &'a BTreeMap<String, String>);

impl fmt::Debug for RedactedValues<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.0.iter().map(|(key, value)| (key, Redacted(value))))
            .finish()
    }
}
