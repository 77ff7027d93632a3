//! Why a JSON document is no job.

use std::error::Error as StdError;

use thiserror::Error;

/// A JSON document that cannot be read. The message says which document; the reason and the place in
/// it are in [`source`](StdError::source).
#[derive(Debug, Error)]
#[error("the {what} cannot be read from its JSON text")]
pub struct ReadError {
    what: &'static str,
    source: Box<dyn StdError + Send + Sync>,
}

impl ReadError {
    pub(super) fn new(
        what: &'static str,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self {
            what,
            source: source.into(),
        }
    }
}
