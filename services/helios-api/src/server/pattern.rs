//! Patterns for names.

use regex::{Regex, RegexBuilder};

use super::fault::Fault;

/// The most memory that a pattern may take, in bytes. Matching takes time in proportion to the name,
/// whatever the pattern.
const PATTERN_BYTES_MAX: usize = 1024 * 1024;

/// A regular expression that is looked for anywhere in a name.
pub(super) struct Pattern(Regex);

impl Pattern {
    pub(super) fn new(text: &str) -> Result<Self, Fault> {
        RegexBuilder::new(text)
            .size_limit(PATTERN_BYTES_MAX)
            .build()
            .map(Self)
            .map_err(|error| {
                let what = format!("{text:?} is no regular expression ({error})");
                Fault::bad(what, "write a part of a name as it is, and \\ before a sign that means something else")
            })
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}
