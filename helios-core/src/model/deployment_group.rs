//! A set of hosts that runs one job.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::read::Member;
use super::{HostSelector, JobId, RolloutOptions};

wire_enum! {
    /// Why a rolling update started.
    RollingUpdateReason, "a reason for a rolling update", "use MANUAL or HOSTS_CHANGED";
    {
        /// Somebody asked for it.
        Manual = "MANUAL",
        /// The hosts that match the group's selectors changed.
        HostsChanged = "HOSTS_CHANGED",
    }
}

/// All hosts whose labels match, and the job they run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DeploymentGroup {
    /// The name of the group.
    pub name: String,
    /// What a host's labels have to fulfil. No host matches an empty list.
    pub host_selectors: Vec<HostSelector>,
    /// The options of the last rolling update.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout_options: Option<RolloutOptions>,
    /// Why the last rolling update started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rolling_update_reason: Option<RollingUpdateReason>,
    /// The job of the last rolling update.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
}

impl DeploymentGroup {
    /// A group that has not had a rolling update yet.
    #[must_use]
    pub fn new(name: impl Into<String>, host_selectors: Vec<HostSelector>) -> Self {
        Self {
            name: name.into(),
            host_selectors,
            rollout_options: None,
            rolling_update_reason: None,
            job_id: None,
        }
    }
}

#[derive(Default)]
struct GroupMembers {
    name: Option<String>,
    host_selectors: Vec<HostSelector>,
    rollout_options: Option<RolloutOptions>,
    rolling_update_reason: Option<RollingUpdateReason>,
    job_id: Option<JobId>,
}

read_members!(GroupMembers {
    "name" => name,
    "hostSelectors" => host_selectors,
    "rolloutOptions" => rollout_options,
    "rollingUpdateReason" => rolling_update_reason,
    "jobId" | "job" => job_id,
});

impl Member for Vec<HostSelector> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for DeploymentGroup {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = GroupMembers::deserialize(deserializer)?;
        Ok(Self {
            name: members
                .name
                .ok_or_else(|| D::Error::missing_field("name"))?,
            host_selectors: members.host_selectors,
            rollout_options: members.rollout_options,
            rolling_update_reason: members.rolling_update_reason,
            job_id: members.job_id,
        })
    }
}
