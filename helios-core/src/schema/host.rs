//! What is known and wanted of a host.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{Deployment, Goal, Job, JobId, PortMapping};

use super::{Drain, Goals};

/// Which cluster a store belongs to.
///
/// An agent remembers it, and takes orders from no other: a store that was emptied, or a wrong
/// address, then stops nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterRecord {
    /// Drawn at random when the store was first used.
    pub id: String,
}

/// A registered host: whose it is and what should run there, in one entry, so that it is read and changed
/// as one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HostRecord {
    /// The agent that may act for the host.
    pub agent_id: String,
    /// Which registration this is; another one after every deregistration.
    pub epoch: String,
    /// Counts the changes of this entry within its epoch. An agent never goes back to a lower one.
    pub revision: u64,
    /// What should run here.
    #[serde(default)]
    pub goals: Goals,
    /// That the host is to be empty for a while; what the goals say counts again afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain: Option<Drain>,
    /// The deployment groups that have seen to this host, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, GroupMark>,
}

impl HostRecord {
    /// A host that was just registered: at its first revision, with no goals.
    #[must_use]
    pub fn new(agent_id: impl Into<String>, epoch: impl Into<String>) -> Self {
        Self {
            agent_id: agent_id.into(),
            epoch: epoch.into(),
            revision: 1,
            goals: Goals::default(),
            drain: None,
            groups: BTreeMap::new(),
        }
    }
}

/// That a deployment group has seen to a host. It stays when somebody undeploys the group's job from the
/// host, so that it is not brought back against their will.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupMark {
    /// Which group of that name: the operation that created it.
    pub group: String,
    /// The last rollout that came to the host.
    pub rollout: String,
    /// In which of its steps.
    pub step: u64,
}

/// A deployment: a job on a host with a goal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GoalRecord {
    /// The job, whole: an agent needs no second read, and a job does not change.
    pub job: Arc<Job>,
    /// What is wanted.
    pub goal: Goal,
    /// Who deployed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The master that deployed it by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master: Option<String>,
    /// The deployment group it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// Who is alive, for as long as the entry is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Presence {
    /// The agent or master.
    pub id: String,
    /// Which start of its process.
    pub incarnation: String,
}

impl HostRecord {
    /// The host's static ports, each with the job that has it: `(protocol, external port)`.
    pub fn static_ports(&self) -> impl Iterator<Item = (&str, u16, &JobId)> {
        self.goals.iter().flat_map(|(id, goal)| {
            static_ports(&goal.job).map(move |(protocol, port)| (protocol, port, id))
        })
    }
}

/// The external ports a job asks for by number.
pub(crate) fn static_ports(job: &Job) -> impl Iterator<Item = (&str, u16)> {
    let ports: BTreeSet<_> = job.ports.values().filter_map(static_port).collect();
    ports.into_iter()
}

fn static_port(mapping: &PortMapping) -> Option<(&str, u16)> {
    let port = u16::try_from(mapping.external_port?).ok()?;
    Some((mapping.protocol.as_str(), port))
}

impl GoalRecord {
    /// The deployment as the API shows it.
    #[must_use]
    pub fn deployment(&self) -> Deployment {
        Deployment {
            job_id: self.job.id.clone(),
            goal: self.goal,
            deployer_user: self.user.clone(),
            deployer_master: self.master.clone(),
            deployment_group_name: self.group.clone(),
        }
    }
}
