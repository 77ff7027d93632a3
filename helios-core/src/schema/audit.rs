//! Who changed what.

use serde::{Deserialize, Serialize};

use crate::model::{HostName, JobId};
use crate::time::Timestamp;

use super::OperationId;

/// By whom and when a change is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The identity of the change.
    pub operation: OperationId,
    /// When, by the wall clock of whoever makes it.
    pub at: Timestamp,
    /// On whose behalf: a user, a token's name, or the part of Helios that acts by itself.
    pub principal: String,
}

/// What a change did, for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditRecord {
    /// When.
    pub at: Timestamp,
    /// On whose behalf.
    pub principal: String,
    /// What was done, as `deploy`.
    pub action: String,
    /// To which job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobId>,
    /// On which host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostName>,
    /// More of it, as the goal that was set.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

impl AuditRecord {
    /// The record of an action with that stamp.
    #[must_use]
    pub fn new(stamp: &Stamp, action: &str) -> Self {
        Self {
            at: stamp.at,
            principal: stamp.principal.clone(),
            action: action.to_owned(),
            job: None,
            host: None,
            detail: String::new(),
        }
    }

    /// To that job.
    #[must_use]
    pub fn job(mut self, job: &JobId) -> Self {
        self.job = Some(job.clone());
        self
    }

    /// On that host.
    #[must_use]
    pub fn host(mut self, host: &HostName) -> Self {
        self.host = Some(host.clone());
        self
    }

    /// With that to add.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }
}
