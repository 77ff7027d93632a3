//! How a rollout is getting on, what it would do, and what other selectors would change.
//!
//! The original has none of this. Its clients skip the member of the status they do not know.

use helios_core::Timestamp;
use helios_core::model::JobId;
use helios_rollout::rolling::{FailureCode, Note, Phase};
use serde::{Deserialize, Serialize};

use super::RolloutState;

/// How the last rollout of a group is getting on: the member `rollout` of its status.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RolloutProgress {
    /// Which rollout this is: another one after each start.
    pub id: String,
    /// What is rolled out.
    pub job: JobId,
    /// The job that is taken back by it, if it is a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takes_back: Option<JobId>,
    /// How far it is.
    pub state: RolloutState,
    /// Why it starts no further host for now, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<String>,
    /// When it was started, or joined by more hosts.
    pub begun: Timestamp,
    /// When its last step was made.
    pub changed: Timestamp,
    /// The hosts of the group.
    pub members: u64,
    /// How many of them are done.
    pub done: u64,
    /// How many are still to come.
    pub waiting: u64,
    /// What it waits for.
    pub in_flight: Vec<HostInFlight>,
    /// What failed.
    pub failed: Vec<HostFailed>,
    /// The hosts whose agents are not there, or that are drained.
    pub down: Vec<String>,
    /// How many seconds the rest will take if it goes on like this; unknown before the first host is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<u64>,
    /// The last steps with their reasons, the oldest first.
    pub steps: Vec<Note>,
}

/// A host that a rollout waits for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct HostInFlight {
    /// The host.
    pub host: String,
    /// What it is waited for.
    pub phase: Phase,
    /// Since when.
    pub since: Timestamp,
    /// Why it still is.
    pub because: String,
}

/// A host that failed in a rollout.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct HostFailed {
    /// The host.
    pub host: String,
    /// Why, in a word.
    pub code: FailureCode,
    /// Why, for people.
    pub reason: String,
}

names! {
    /// What became of the question what a rolling update would do.
    PlanStatus {
        /// It is answered.
        Ok = "OK",
        /// There is no such job.
        JobNotFound = "JOB_NOT_FOUND",
        /// There is no such group.
        GroupNotFound = "DEPLOYMENT_GROUP_NOT_FOUND",
    }
}

/// The answer to `POST /deployment-group/{group}/plan`: what a rolling update would do, if every host got
/// healthy.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct RolloutPlanResponse {
    /// Whether there is an answer.
    pub status: PlanStatus,
    /// The hosts it would start, one batch after the other.
    pub batches: Vec<Vec<String>>,
    /// The hosts that run the job already.
    pub right: Vec<String>,
    /// The hosts that would fail at once.
    pub failing: Vec<HostObstacle>,
    /// The hosts whose agents are not there, or that are drained.
    pub down: Vec<String>,
    /// The hosts that left the group, and would be let go.
    pub leaving: Vec<String>,
}

/// A host on which a rolling update would fail at once.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct HostObstacle {
    /// The host.
    pub host: String,
    /// Why.
    pub reason: String,
}

names! {
    /// What became of the edit of a group.
    EditGroupStatus {
        /// The group has those selectors now.
        Edited = "EDITED",
        /// It had them already.
        NotModified = "NOT_MODIFIED",
        /// Nothing was changed, since it was only asked what would be.
        Preview = "PREVIEW",
        /// There is no such group.
        GroupNotFound = "DEPLOYMENT_GROUP_NOT_FOUND",
    }
}

/// The answer to `PUT /deployment-group/{group}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct EditDeploymentGroupResponse {
    /// What became of it.
    pub status: EditGroupStatus,
    /// The hosts that join, in natural order.
    pub joining: Vec<String>,
    /// The hosts that leave, in natural order.
    pub leaving: Vec<String>,
    /// How many stay.
    pub staying: u64,
}
