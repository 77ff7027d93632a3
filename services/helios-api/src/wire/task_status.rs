//! What an agent reports of a job.

use std::collections::BTreeMap;
use std::sync::Arc;

use helios_core::model::{Goal, Job, PortMapping, TaskState, ThrottleState};
use serde::{Deserialize, Deserializer, Serialize};

use super::null_as_default;

/// What an agent reports of a job on its host.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
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
    /// The environment of its container, beyond the job's own.
    #[serde(default, deserialize_with = "null_as_default")]
    pub env: BTreeMap<String, String>,
    /// What went wrong last; empty if nothing did.
    #[serde(default, deserialize_with = "null_as_default")]
    pub container_error: String,
}

fn unthrottled() -> ThrottleState {
    ThrottleState::No
}

fn null_as_unthrottled<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<ThrottleState, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_else(unthrottled))
}
