//! What a container may use.

use serde::Serialize;

/// Limits on what a container may use. `None` leaves a limit to the container engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Resources {
    /// Memory, in bytes.
    pub memory: Option<i64>,
    /// Memory and swap together, in bytes.
    pub memory_swap: Option<i64>,
    /// Relative weight of CPU time.
    pub cpu_shares: Option<i64>,
    /// The CPUs it may run on, such as `0-1`.
    pub cpuset: Option<String>,
}

read_members!(Resources {
    "memory" => memory,
    "memorySwap" => memory_swap,
    "cpuShares" => cpu_shares,
    "cpuset" => cpuset,
});

optional_member!(Resources);

impl Resources {
    /// A limit on memory, in bytes.
    #[must_use]
    pub fn memory(bytes: i64) -> Self {
        Self {
            memory: Some(bytes),
            ..Self::default()
        }
    }
}
