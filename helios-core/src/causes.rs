//! Errors with their causes.

use std::error::Error;

/// What an error says and what each of its causes says, on one line.
///
/// Messages of this project do not repeat their cause, so that whoever shows an error to people decides whether to
/// show it: this does.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
