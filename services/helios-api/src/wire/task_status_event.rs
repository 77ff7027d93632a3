//! What agents reported of a job over time.

use helios_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::TaskStatus;

names! {
    /// Whether there is a job to have a history.
    HistoryStatus {
        /// There is.
        Ok = "OK",
        /// There is no such job.
        JobIdNotFound = "JOB_ID_NOT_FOUND",
    }
}

/// What an agent reported at one time.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct TaskStatusEvent {
    /// What it reported.
    pub status: TaskStatus,
    /// When.
    pub timestamp: Timestamp,
    /// From which host.
    pub host: String,
}

/// The answer to `GET /history/jobs/{job}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct TaskStatusEvents {
    /// The events of all hosts, oldest first.
    pub events: Vec<TaskStatusEvent>,
    /// Whether there is such a job.
    pub status: HistoryStatus,
}
