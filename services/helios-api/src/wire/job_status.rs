//! What is known of a job.

use std::collections::BTreeMap;
use std::sync::Arc;

use helios_core::model::{Deployment, Job};
use serde::{Deserialize, Serialize};

use super::{TaskStatus, null_as_default};

/// The answer to `GET /jobs/{job}/status`: where a job should run, and what the agents report.
///
/// A host can be in one of the maps only: it has not reported the job yet, or still reports what has been
/// undeployed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct JobStatus {
    /// The job.
    pub job: Option<Arc<Job>>,
    /// What agents report, by host.
    #[serde(default, deserialize_with = "null_as_default")]
    pub task_statuses: BTreeMap<String, TaskStatus>,
    /// What is wanted, by host.
    #[serde(default, deserialize_with = "null_as_default")]
    pub deployments: BTreeMap<String, Deployment>,
}
