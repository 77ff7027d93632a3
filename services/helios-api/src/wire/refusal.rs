//! The answer to a request that no endpoint has an answer of its own for.

use serde::{Deserialize, Serialize};

/// Why a request was refused, for people.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct Refusal {
    /// The reason.
    pub message: String,
}
