//! Answers to deploying, undeploying and changing the goal.

use helios_core::model::JobId;
use serde::{Deserialize, Serialize};

names! {
    /// What became of a deployment.
    DeployStatus {
        /// Deployed; the agent sees to the rest.
        Ok = "OK",
        /// There is no such job.
        JobNotFound = "JOB_NOT_FOUND",
        /// Another job on the host has one of the job's static ports.
        PortConflict = "PORT_CONFLICT",
        /// No such host is registered.
        HostNotFound = "HOST_NOT_FOUND",
        /// The job is on the host already.
        JobAlreadyDeployed = "JOB_ALREADY_DEPLOYED",
        /// The request's body names another job than its path.
        IdMismatch = "ID_MISMATCH",
        /// The id is no full one, `name:version:hash`.
        InvalidId = "INVALID_ID",
        /// The job's token is another one.
        Forbidden = "FORBIDDEN",
        /// More than one job matches. Made by clients only.
        AmbiguousJobReference = "AMBIGUOUS_JOB_REFERENCE",
    }
}

names! {
    /// What became of an undeployment.
    UndeployStatus {
        /// Undeployed; the agent stops the container.
        Ok = "OK",
        /// The job is not on the host.
        JobNotFound = "JOB_NOT_FOUND",
        /// No such host is registered.
        HostNotFound = "HOST_NOT_FOUND",
        /// The id is no full one, `name:version:hash`.
        InvalidId = "INVALID_ID",
        /// The job's token is another one.
        Forbidden = "FORBIDDEN",
    }
}

names! {
    /// What became of a change of goal.
    SetGoalStatus {
        /// The goal is set.
        Ok = "OK",
        /// There is no such job.
        JobNotFound = "JOB_NOT_FOUND",
        /// No such host is registered.
        HostNotFound = "HOST_NOT_FOUND",
        /// The job is not on the host.
        JobNotDeployed = "JOB_NOT_DEPLOYED",
        /// The request's body names another job than its path.
        IdMismatch = "ID_MISMATCH",
        /// The id is no full one, `name:version:hash`.
        InvalidId = "INVALID_ID",
        /// The job's token is another one.
        Forbidden = "FORBIDDEN",
    }
}

/// The answer to `PUT /hosts/{host}/jobs/{job}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct JobDeployResponse {
    /// What became of it.
    pub status: DeployStatus,
    /// The host as the request named it.
    pub host: Option<String>,
    /// The job as the request's path named it.
    pub job: Option<JobId>,
}

/// The answer to `DELETE /hosts/{host}/jobs/{job}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct JobUndeployResponse {
    /// What became of it.
    pub status: UndeployStatus,
    /// The host as the request named it.
    pub host: Option<String>,
    /// The job as the request named it.
    pub job: Option<JobId>,
}

/// The answer to `PATCH /hosts/{host}/jobs/{job}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct SetGoalResponse {
    /// What became of it.
    pub status: SetGoalStatus,
    /// The host as the request named it.
    pub host: Option<String>,
    /// The job as the request's path named it.
    pub job: Option<JobId>,
}
