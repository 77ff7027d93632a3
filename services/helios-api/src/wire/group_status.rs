//! How a deployment group is doing.

use helios_core::model::{DeploymentGroup, JobId, TaskState};
use serde::{Deserialize, Serialize};

use super::RolloutProgress;

names! {
    /// How a group is doing, for people.
    GroupStatus {
        /// A rolling update is under way.
        RollingOut = "ROLLING_OUT",
        /// The last rolling update is done.
        Active = "ACTIVE",
        /// The last rolling update failed or was stopped.
        Failed = "FAILED",
        /// There was no rolling update yet.
        Idle = "IDLE",
    }
}

names! {
    /// How far a rolling update is.
    RolloutState {
        /// Under way.
        RollingOut = "ROLLING_OUT",
        /// Ended with an error.
        Failed = "FAILED",
        /// Done.
        Done = "DONE",
    }
}

/// The answer to `GET /deployment-group/{name}/status`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DeploymentGroupStatusResponse {
    /// The group.
    pub deployment_group: DeploymentGroup,
    /// How it is doing.
    pub status: GroupStatus,
    /// What went wrong. Empty when there was no rolling update yet.
    pub error: Option<String>,
    /// The group's hosts that are up, in natural order.
    pub host_statuses: Vec<GroupHostStatus>,
    /// The last rolling update, if there was one.
    pub deployment_group_status: Option<DeploymentGroupStatus>,
    /// More of it than clients of the original know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutProgress>,
}

/// What the group has on one of its hosts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct GroupHostStatus {
    /// The host.
    pub host: String,
    /// The group's job on it, if there is one.
    pub job_id: Option<JobId>,
    /// How far that job is, once its agent has reported.
    pub state: Option<TaskState>,
}

/// The last rolling update of a group.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct DeploymentGroupStatus {
    /// How far it is.
    pub state: RolloutState,
    /// What went wrong.
    pub error: Option<String>,
}
