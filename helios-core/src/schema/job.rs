//! A stored job.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{Job, JobId};
use crate::time::Timestamp;

/// A job and whether somebody is about to remove it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobRecord {
    /// The job.
    pub job: Arc<Job>,
    /// The operation that is about to remove the job, set before it looks for deployments. A deployment
    /// takes the mark back, which fails the removal; so none can be added behind its back, and a removal
    /// that was never finished blocks nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removing: Option<String>,
}

/// Which job has a name and version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NameRecord {
    /// The id, with its hash.
    pub id: JobId,
}

/// That a job was removed, for as long as something may be left of it: its history lies where nobody would look for
/// it, since there is a directory for each job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemovalRecord {
    /// Which job.
    pub job: JobId,
    /// When.
    pub at: Timestamp,
}
