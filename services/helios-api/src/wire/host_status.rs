//! What is known of a host.

use std::collections::BTreeMap;

use helios_core::model::{AgentInfo, Deployment, HostInfo, JobId};
use serde::{Deserialize, Serialize};

use super::{TaskStatus, null_as_default};

names! {
    /// Whether a host's agent is there.
    HostState {
        /// It is.
        Up = "UP",
        /// It is not; what it ran may well go on running.
        Down = "DOWN",
    }
}

impl HostState {
    /// That of a host whose agent is there, or is not.
    #[must_use]
    pub fn of(up: bool) -> Self {
        if up { Self::Up } else { Self::Down }
    }
}

/// The answer to `GET /hosts/{host}/status`: what should run on a host, what its agent reports, and
/// what kind of machine it is.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct HostStatus {
    /// What should run there.
    pub jobs: BTreeMap<JobId, Deployment>,
    /// What the agent reports, also of jobs that are on their way out.
    pub statuses: BTreeMap<JobId, TaskStatus>,
    /// Whether the agent is there.
    pub status: HostState,
    /// The machine, once the agent has reported.
    pub host_info: Option<HostInfo>,
    /// The agent, once it has reported.
    pub agent_info: Option<AgentInfo>,
    /// What the agent puts into every container's environment.
    #[serde(default, deserialize_with = "null_as_default")]
    pub environment: BTreeMap<String, String>,
    /// Labels for host selectors.
    #[serde(default, deserialize_with = "null_as_default")]
    pub labels: BTreeMap<String, String>,
    /// What is wrong with the host, for people. The original never says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}
