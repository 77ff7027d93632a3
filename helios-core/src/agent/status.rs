//! What an agent knows, for whoever asks on its own machine.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

use crate::model::JobId;
use crate::orphans::Finding;
use crate::reconcile::Verb;
use crate::runtime::ContainerId;
use crate::schema::{GoalRecord, TaskReport};

use super::run::Running;

/// What an agent knows, at one moment.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AgentStatus {
    /// Whether it acts for its host: registered and present under its own id.
    pub is_member: bool,
    /// Whether the engine could be read at the last look.
    pub reads_engine: bool,
    /// The goals it follows.
    pub goals: BTreeMap<JobId, GoalRecord>,
    /// What it reports of its tasks.
    pub tasks: Arc<BTreeMap<JobId, TaskReport>>,
    /// Of each job the dead container that ended last, of those that are kept.
    pub dead: Arc<BTreeMap<JobId, ContainerId>>,
    /// What is wrong with the host, for people.
    pub problems: Vec<String>,
    /// What nothing manages any more.
    pub orphans: Vec<Finding>,
    /// What it has done since it started.
    pub counts: Counts,
}

/// What an agent has done since it started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Actions that ended, by what they were and whether they succeeded.
    pub actions: BTreeMap<(Verb, bool), u64>,
    /// Orphans that were ended.
    pub orphans_reaped: u64,
    /// Images that were removed.
    pub images_removed: u64,
}

/// Reads the status of an agent while that runs.
#[derive(Clone, Debug)]
pub struct StatusReader(watch::Receiver<Arc<AgentStatus>>);

/// Where the status is put.
#[derive(Debug)]
pub(super) struct StatusWriter(watch::Sender<Arc<AgentStatus>>);

impl StatusReader {
    /// The status after the agent's last step; an empty one before the first.
    #[must_use]
    pub fn now(&self) -> Arc<AgentStatus> {
        Arc::clone(&self.0.borrow())
    }
}

impl StatusWriter {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(Arc::default()))
    }

    pub(super) fn reader(&self) -> StatusReader {
        StatusReader(self.0.subscribe())
    }
}

impl Running {
    /// Puts the status where it can be read, if anybody reads it.
    pub(super) fn publish(&self) {
        let StatusWriter(sender) = &self.agent.status;
        if sender.is_closed() {
            return;
        }
        let present = self.seen.up.as_ref().and_then(Option::as_ref);
        let counts = Counts {
            orphans_reaped: self.custody.reaped,
            images_removed: self.shelf.removed,
            ..self.counts.clone()
        };
        sender.send_replace(Arc::new(AgentStatus {
            is_member: present.is_some_and(|present| *present.record == self.me),
            reads_engine: self.live.observed.containers.is_some(),
            goals: self.live.remembered.goals.clone(),
            tasks: Arc::clone(&self.tasks),
            dead: Arc::clone(&self.dead.latest),
            problems: self.problems(),
            orphans: self.custody.findings.clone(),
            counts,
        }));
    }
}
