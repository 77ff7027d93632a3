//! What an agent reports.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{AgentInfo, Goal, HostInfo, JobId, PortMapping, TaskState, ThrottleState};
use crate::runtime::Exit;
use crate::time::Timestamp;

/// All that an agent says about its host, in one entry that it alone writes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HostReport {
    /// Whose report it is.
    pub agent_id: String,
    /// The tasks, also those that are on their way out.
    pub tasks: BTreeMap<JobId, TaskReport>,
    /// The machine.
    pub host_info: Option<HostInfo>,
    /// The agent.
    pub agent_info: Option<AgentInfo>,
    /// Labels for host selectors.
    pub labels: BTreeMap<String, String>,
    /// What the agent puts into every container's environment.
    pub environment: BTreeMap<String, String>,
    /// What is wrong with the host, for people; empty if nothing is.
    pub problems: Vec<String>,
    /// Where the agent can be asked for what its containers write, if it answers at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<String>,
}

/// All that an agent says about one task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskReport {
    /// What the agent wants for it.
    pub goal: Goal,
    /// What it is doing.
    pub state: TaskState,
    /// Its last container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_id: Option<String>,
    /// Whether and why it is held back.
    pub throttled: ThrottleState,
    /// Its ports with the external ports it really has.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ports: BTreeMap<String, PortMapping>,
    /// What went wrong last; empty once it runs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// How often its container was started anew.
    #[serde(default)]
    pub restarts: u64,
    /// How its last container ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_exit: Option<LastExit>,
    /// Since when it is in this state.
    #[serde(default)]
    pub since: Timestamp,
}

impl TaskReport {
    /// A task in that state since then, of which there is nothing else to say.
    #[must_use]
    pub fn new(goal: Goal, state: TaskState, since: Timestamp) -> Self {
        Self {
            goal,
            state,
            container_id: None,
            throttled: ThrottleState::No,
            ports: BTreeMap::new(),
            error: String::new(),
            restarts: 0,
            last_exit: None,
            since,
        }
    }

    /// Whether it says something that the one before did not: another state, container, goal, port or throttle,
    /// or that something is wrong. The words for what is wrong may differ at every attempt, and are no news.
    #[must_use]
    pub fn is_news_after(&self, before: Option<&Self>) -> bool {
        before.is_none_or(|before| {
            let is_wrong = !self.error.is_empty();
            (self.goal, self.state, self.throttled) != (before.goal, before.state, before.throttled)
                || self.container_id != before.container_id
                || self.ports != before.ports
                || is_wrong == before.error.is_empty()
        })
    }
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct LastExit {
    /// The exit code; 128 + n after signal n.
    pub code: i64,
    /// Whether it was out of memory.
    #[serde(default)]
    pub out_of_memory: bool,
}

impl From<&Exit> for LastExit {
    fn from(exit: &Exit) -> Self {
        Self {
            code: exit.code,
            out_of_memory: exit.out_of_memory,
        }
    }
}
