//! What is known and wanted of a host.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{Deployment, Goal, Job, JobId, PortMapping};

use crate::store::{Entry, Key, StoreError};

use super::{Drain, Versioned};

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
    pub goals: BTreeMap<JobId, GoalRecord>,
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
            goals: BTreeMap::new(),
            drain: None,
            groups: BTreeMap::new(),
        }
    }
}

/// The goals of a host that cannot be read: the job, as its key names it, and why.
pub type UnreadGoals = BTreeMap<String, String>;

impl Versioned<HostRecord> {
    /// Decodes the entry that was read at `key`, without those of its goals that cannot be read.
    ///
    /// One goal that is broken, or says what only newer agents understand, then concerns its own job and no other. For
    /// who only reads: a change that is made from this would lose what was left out.
    ///
    /// # Errors
    /// `Corrupt`, naming the key, when anything but a goal is not what it should be.
    pub fn decode_without_unread(
        key: &Key,
        entry: &Entry,
    ) -> Result<(Self, UnreadGoals), StoreError> {
        let all = Self::decode(key, entry);
        let Err(error) = all else {
            return all.map(|record| (record, UnreadGoals::new()));
        };
        let document = serde_json::from_slice(&entry.value);
        let Ok(mut document) = document.map(|document: Value| document) else {
            return Err(error);
        };
        let mut unread = UnreadGoals::new();
        if let Some(Value::Object(goals)) = document.get_mut("goals") {
            goals.retain(|job, goal| match legible(job, goal) {
                Ok(()) => true,
                Err(why) => {
                    unread.insert(job.clone(), why);
                    false
                }
            });
        }
        match serde_json::from_value(document) {
            Ok(record) => Ok((Self::new(entry.version, record), unread)),
            Err(_) => Err(error),
        }
    }
}

/// Whether a goal can be read, or why not.
fn legible(job: &str, goal: &Value) -> Result<(), String> {
    let id = job.parse::<JobId>();
    id.map_err(|error| error.to_string())?;
    let goal = GoalRecord::deserialize(goal);
    goal.map(drop).map_err(|error| error.to_string())
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
