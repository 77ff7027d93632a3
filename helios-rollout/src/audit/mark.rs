//! What a host was told last.

use helios_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::variable::{Because, Value};

/// What a host was told last, by which revision, when and why; also when the record that says so is rolled up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// The value.
    pub value: Value,
    /// The record that told it.
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// The revision of the variable that told it.
    pub revision: u64,
    /// Why.
    pub because: Because,
}
