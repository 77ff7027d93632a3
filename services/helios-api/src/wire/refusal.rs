//! The answer to a request that no endpoint has an answer of its own for.

use serde::{Deserialize, Serialize};

/// Why a request was refused, for people.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Refusal {
    /// The reason.
    pub message: String,
}
