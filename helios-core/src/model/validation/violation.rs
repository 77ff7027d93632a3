//! A rule that a job breaks.

use std::fmt;

use super::Rule;

/// The longest part of a value that is quoted in a violation, in characters.
const VALUE_CHARS_MAX: usize = 256;

/// A rule that a job breaks, and the value that breaks it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// The member, such as `ports.http.protocol`.
    pub field: String,
    /// The offending value, cut if it is very long, or empty if one is missing.
    pub value: String,
    /// A sentence with member, value and what would be right.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.message)
    }
}

/// Collects violations.
#[derive(Default)]
pub(super) struct Violations(Vec<Violation>);

impl Violations {
    /// Adds that the `value` of `field` breaks `rule`; `should` goes on with what would be right.
    pub(super) fn add(&mut self, rule: Rule, field: impl Into<String>, value: &str, should: &str) {
        let field = field.into();
        let value = shorten(value);
        let message = format!("{field} {value:?} {should}");
        self.0.push(Violation {
            rule,
            field,
            value,
            message,
        });
    }

    pub(super) fn into_vec(self) -> Vec<Violation> {
        self.0
    }
}

fn shorten(value: &str) -> String {
    if value.chars().nth(VALUE_CHARS_MAX).is_none() {
        return value.to_owned();
    }
    value.chars().take(VALUE_CHARS_MAX).chain(['…']).collect()
}
