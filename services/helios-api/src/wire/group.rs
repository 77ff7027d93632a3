//! Requests and answers about deployment groups.

use helios_core::model::{JobId, RolloutOptions};
use helios_rollout::rolling::Policy;
use serde::{Deserialize, Serialize};

use super::null_as_default;

names! {
    /// What became of the creation of a group.
    CreateGroupStatus {
        /// Created.
        Created = "CREATED",
        /// The group exists with the same selectors.
        NotModified = "NOT_MODIFIED",
        /// The group exists with other selectors.
        Conflict = "CONFLICT",
    }
}

names! {
    /// What became of the removal of a group.
    RemoveGroupStatus {
        /// Removed; what it deployed stays deployed.
        Removed = "REMOVED",
        /// There is no such group.
        GroupNotFound = "DEPLOYMENT_GROUP_NOT_FOUND",
    }
}

names! {
    /// What became of the start of a rolling update.
    RollingUpdateStatus {
        /// Started.
        Ok = "OK",
        /// There is no such job.
        JobNotFound = "JOB_NOT_FOUND",
        /// There is no such group.
        GroupNotFound = "DEPLOYMENT_GROUP_NOT_FOUND",
    }
}

/// The answer to `POST /deployment-group`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct CreateDeploymentGroupResponse {
    /// What became of it.
    pub status: CreateGroupStatus,
}

/// The answer to `DELETE /deployment-group/{name}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct RemoveDeploymentGroupResponse {
    /// What became of it.
    pub status: RemoveGroupStatus,
}

/// The body of `POST /deployment-group/{name}/rolling-update`. The only type in which a member that
/// nobody knows is an error: a misspelt option would otherwise change how hosts are updated.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RollingUpdateRequest {
    /// The job to run, with its hash.
    pub job: JobId,
    /// Wishes; what is left open is decided by the job and then by the defaults.
    #[serde(default, deserialize_with = "null_as_default")]
    pub rollout_options: RolloutOptions,
    /// What those cannot say. A master that does not know it refuses it.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Policy::is_default"
    )]
    pub policy: Policy,
}

/// The answer to `POST /deployment-group/{name}/rolling-update`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct RollingUpdateResponse {
    /// What became of it.
    pub status: RollingUpdateStatus,
}
