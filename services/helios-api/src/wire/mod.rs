//! What travels over HTTP, in the JSON of the original Helios master.
//!
//! Deployed clients fail on an enum value they do not know and on a missing member, so the names and
//! members here are closed; members nobody knows are ignored on reading. What a model type already says
//! (`Job`, `Deployment`, `HostInfo`, ...) is used from [`helios_core::model`].

mod deployment;
mod event;
mod group;
mod group_status;
mod host;
mod host_status;
mod job;
mod job_status;
mod refusal;
mod reset;
mod rollout;
mod task_status;
mod task_status_event;
mod token;
mod variable;
mod version_check;

pub use deployment::{
    DeployStatus, JobDeployResponse, JobUndeployResponse, SetGoalResponse, SetGoalStatus,
    UndeployStatus,
};
pub use event::{DeploymentEvent, Event, HostEvent, NamedEvent, TaskEvent};
pub use group::{
    CreateDeploymentGroupResponse, CreateGroupStatus, RemoveDeploymentGroupResponse,
    RemoveGroupStatus, RollingUpdateRequest, RollingUpdateResponse, RollingUpdateStatus,
};
pub use group_status::{
    DeploymentGroupStatus, DeploymentGroupStatusResponse, GroupHostStatus, GroupStatus,
    RolloutState,
};
pub use host::{DeregisterStatus, HostDeregisterResponse, HostRegisterResponse, RegisterStatus};
pub use host_status::{HostState, HostStatus};
pub use job::{CreateJobResponse, CreateStatus, DeleteStatus, JobDeleteResponse};
pub use job_status::JobStatus;
pub use refusal::Refusal;
pub use reset::{
    AwayHost, PlannedReset, ResetAudit, ResetAuditLine, ResetEvidence, ResetReport, ResetStatus,
    ResetSummary, ResumeReset, ServiceReport, WaitingHosts,
};
pub use rollout::{
    EditDeploymentGroupResponse, EditGroupStatus, HostFailed, HostInFlight, HostObstacle,
    PlanStatus, RolloutPlanResponse, RolloutProgress,
};
pub use task_status::TaskStatus;
pub use task_status_event::{HistoryStatus, TaskStatusEvent, TaskStatusEvents};
pub use token::{CreatedToken, Grant, NewToken, Role, TokenInfo};
pub use variable::{
    AuditLine, AuditReport, Desired, Holders, ObjectiveStatus, Preview, RollBack, RolloutPlan,
    RolloutRequest, RolloutStatus, SINCE_HEADER, SetVariable, StratumProgress, TurnOf,
    VariableStatus, Why,
};
pub use version_check::{ServerVersion, VersionCheckResponse};

use serde::{Deserialize, Deserializer};

/// Reads null as the default, as deployed masters and clients do.
fn null_as_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests;
