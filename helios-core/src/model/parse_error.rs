//! What the text forms of the model have in common when they do not parse.

use thiserror::Error;

/// A text that is not what it should be. The message quotes the text and says what would be right.
///
/// ```
/// let error = "web".parse::<helios_core::model::JobId>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     r#""web" is not a job id: use name:version or name:version:hash"#,
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{text:?} is not {what}: {expected}")]
pub struct ParseError {
    what: &'static str,
    text: String,
    expected: &'static str,
}

impl ParseError {
    pub(super) fn new(what: &'static str, text: &str, expected: &'static str) -> Self {
        Self {
            what,
            text: text.to_owned(),
            expected,
        }
    }

    /// The text that did not parse.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}
