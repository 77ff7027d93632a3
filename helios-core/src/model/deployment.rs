//! That a job is wanted on a host.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Goal, JobId};

/// That a job is wanted on a host, and who wanted it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Deployment {
    /// What is wanted of the job.
    pub goal: Goal,
    /// The user who asked for it.
    pub deployer_user: Option<String>,
    /// The master that did it for a deployment group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployer_master: Option<String>,
    /// The deployment group it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_group_name: Option<String>,
    /// The job.
    pub job_id: JobId,
}

impl Deployment {
    /// A deployment that nobody signed.
    #[must_use]
    pub fn new(job_id: JobId, goal: Goal) -> Self {
        Self {
            goal,
            deployer_user: None,
            deployer_master: None,
            deployment_group_name: None,
            job_id,
        }
    }
}

#[derive(Default)]
struct DeploymentMembers {
    goal: Option<Goal>,
    deployer_user: Option<String>,
    deployer_master: Option<String>,
    deployment_group_name: Option<String>,
    job_id: Option<JobId>,
}

read_members!(DeploymentMembers {
    "goal" => goal,
    "deployerUser" => deployer_user,
    "deployerMaster" => deployer_master,
    "deploymentGroupName" => deployment_group_name,
    "jobId" | "job" => job_id,
});

impl<'de> Deserialize<'de> for Deployment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = DeploymentMembers::deserialize(deserializer)?;
        Ok(Self {
            goal: members
                .goal
                .ok_or_else(|| D::Error::missing_field("goal"))?,
            deployer_user: members.deployer_user,
            deployer_master: members.deployer_master,
            deployment_group_name: members.deployment_group_name,
            job_id: members
                .job_id
                .ok_or_else(|| D::Error::missing_field("jobId"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &str, written: &str) {
        let deployment: Deployment = serde_json::from_str(given).unwrap();
        assert_eq!(serde_json::to_string(&deployment).unwrap(), written);
    }

    #[test]
    fn reads_either_spelling_and_leaves_out_what_no_group_set() {
        let written = r#"{"goal":"START","deployerUser":null,"jobId":"web:7"}"#;
        check(written, written);
        check(r#"{"job":"web:7","goal":"start","x":1}"#, written);
        let grouped = r#"{"goal":"STOP","deployerUser":"u","deployerMaster":"m","deploymentGroupName":"g","jobId":"web:7"}"#;
        check(grouped, grouped);
    }

    #[test]
    fn needs_a_job_and_a_goal() {
        for json in [r#"{"goal":"START"}"#, r#"{"jobId":"a:b","goal":null}"#] {
            assert!(serde_json::from_str::<Deployment>(json).is_err(), "{json}");
        }
    }
}
