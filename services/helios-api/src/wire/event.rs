//! What happens in a cluster, as it happens.

use helios_core::model::{Goal, HostName, JobId, TaskState, ThrottleState};
use serde::{Deserialize, Serialize};

use super::HostState;

/// Something that happened, as `GET /events` tells it. New kinds may be added.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
#[serde(tag = "kind", content = "data", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Event {
    /// A task is in another state.
    Task(TaskEvent),
    /// A job was deployed, got another goal, or was undeployed.
    Deployment(DeploymentEvent),
    /// A host came, went up or down, or is gone.
    Host(HostEvent),
    /// A job was created or removed.
    Job(NamedEvent),
    /// A deployment group changed.
    Group(NamedEvent),
    /// A variable changed.
    Variable(NamedEvent),
    /// A reset of hosts went on.
    Reset(NamedEvent),
    /// What happened for a while is not known any more: look at what you follow, and go on from here.
    Gap {},
}

/// How a task is doing now.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TaskEvent {
    /// On which host.
    pub host: HostName,
    /// Of which job.
    pub job: JobId,
    /// What the agent wants for it.
    pub goal: Option<Goal>,
    /// What it is doing; null when the host has it no more.
    pub state: Option<TaskState>,
    /// Whether and why it is held back.
    pub throttled: ThrottleState,
    /// What went wrong last; empty once it runs.
    pub container_error: String,
    /// Its container.
    pub container_id: Option<String>,
}

/// What is wanted now.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct DeploymentEvent {
    /// On which host.
    pub host: HostName,
    /// Of which job.
    pub job: JobId,
    /// The goal; null when it was undeployed.
    pub goal: Option<Goal>,
}

/// How a host is now.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct HostEvent {
    /// The host.
    pub host: HostName,
    /// Whether its agent is there; null when the host is registered no more.
    pub status: Option<HostState>,
}

/// That something of that name changed, or is gone.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct NamedEvent {
    /// The name; of a job its id.
    pub name: String,
    /// Whether it is gone.
    pub gone: bool,
}

impl Event {
    /// The kind, as clients choose it by.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Task(_) => "task",
            Self::Deployment(_) => "deployment",
            Self::Host(_) => "host",
            Self::Job(_) => "job",
            Self::Group(_) => "group",
            Self::Variable(_) => "variable",
            Self::Reset(_) => "reset",
            Self::Gap {} => "gap",
        }
    }

    /// The host that it is about, if it is about one.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::Task(event) => Some(event.host.as_str()),
            Self::Deployment(event) => Some(event.host.as_str()),
            Self::Host(event) => Some(event.host.as_str()),
            _ => None,
        }
    }

    /// The job that it is about, if it is about one.
    #[must_use]
    pub fn job(&self) -> Option<&str> {
        match self {
            Self::Task(event) => Some(event.job.as_str()),
            Self::Deployment(event) => Some(event.job.as_str()),
            Self::Job(event) => Some(&event.name),
            _ => None,
        }
    }
}
