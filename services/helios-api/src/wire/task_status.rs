//! What an agent reports of a job.

use std::collections::BTreeMap;
use std::sync::Arc;

use helios_core::model::{Goal, Job, PortMapping, TaskState, ThrottleState};
use helios_core::schema::LastExit;
use helios_core::time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use super::null_as_default;

/// What an agent reports of a job on its host.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TaskStatus {
    /// The whole job.
    pub job: Arc<Job>,
    /// What the agent wants for it.
    pub goal: Option<Goal>,
    /// How far it is.
    pub state: TaskState,
    /// Its last container.
    pub container_id: Option<String>,
    /// Whether and why the agent waits longer than usual before it starts the job again.
    #[serde(default = "unthrottled", deserialize_with = "null_as_unthrottled")]
    pub throttled: ThrottleState,
    /// Its ports, with the external ports it was given.
    #[serde(default, deserialize_with = "null_as_default")]
    pub ports: BTreeMap<String, PortMapping>,
    /// The environment of its container: the agent's own, its ports, and the job's.
    #[serde(default, deserialize_with = "null_as_default")]
    pub env: BTreeMap<String, String>,
    /// What went wrong last; empty if nothing did.
    #[serde(default, deserialize_with = "null_as_default")]
    pub container_error: String,
    /// How often its container was started anew since the agent started. The original never says so.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub restarts: u64,
    /// How its last container ended, if one did. The original never says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_exit: Option<LastExit>,
    /// Since when it is in this state. The original never says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn unthrottled() -> ThrottleState {
    ThrottleState::No
}

fn null_as_unthrottled<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<ThrottleState, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_else(unthrottled))
}
