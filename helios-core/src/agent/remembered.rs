//! What an agent knows after a restart, before it can read anything.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{Goal, JobId};
use crate::reconcile::Leases;
use crate::schema::{Drain, GoalRecord, HostRecord};

/// How many ended registrations are remembered.
const PAST_EPOCHS_MAX: usize = 16;

/// The goals that were last acted on and the ports that are leased, stored before anything is done by
/// them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Remembered {
    /// The cluster the agent takes orders from.
    pub cluster: Option<String>,
    /// The registration the goals belong to; `None` until goals were read for the first time.
    pub epoch: Option<String>,
    /// Registrations that ended. What is read of them is old.
    pub past_epochs: VecDeque<String>,
    /// The revision of the goals within their registration.
    pub revision: u64,
    /// The goals.
    pub goals: BTreeMap<JobId, GoalRecord>,
    /// That the host is to be empty meanwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain: Option<Drain>,
    /// The ports.
    pub leases: Arc<Leases>,
}

/// Why goals that were read are not acted on. Everything that runs goes on running.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Distrust {
    /// The store does not say which cluster it is.
    NoCluster,
    /// The store belongs to another cluster.
    OtherCluster {
        /// The one it belongs to.
        found: String,
        /// The one the agent belongs to.
        own: String,
    },
    /// The host is not registered.
    NotRegistered,
    /// The host is registered to another agent.
    OtherAgent {
        /// That one's id.
        id: String,
    },
    /// The goals are older than those that were acted on.
    Older {
        /// Their revision.
        found: u64,
        /// The one that was acted on.
        own: u64,
    },
    /// The goals belong to a registration that has ended.
    PastEpoch,
}

impl Remembered {
    /// What is done about one of the goals now.
    #[must_use]
    pub fn goal(&self, job: &JobId) -> Option<Goal> {
        let goal = self.goals.get(job)?.goal;
        Some(Drain::goal(self.drain.as_ref(), goal))
    }

    /// This, going on with what was last known of jobs whose goals cannot be read now.
    pub(super) fn with_last_known(mut self, unread: &BTreeSet<JobId>, before: &Self) -> Self {
        let known = unread
            .iter()
            .filter_map(|id| before.goals.get_key_value(id));
        self.goals
            .extend(known.map(|(id, goal)| (id.clone(), goal.clone())));
        self
    }

    /// This, for a registration that had ended and stands again.
    pub(super) fn with_epoch_again(&self, epoch: &str) -> Self {
        let mut again = self.clone();
        again.past_epochs.retain(|past| past != epoch);
        again
    }

    /// What is remembered once these goals are acted on, or why they are not to be.
    ///
    /// # Errors
    /// [`Distrust`], with nothing to be changed.
    pub fn accept(
        &self,
        agent_id: &str,
        cluster: Option<&str>,
        record: Option<&HostRecord>,
    ) -> Result<Self, Distrust> {
        let cluster = cluster.ok_or(Distrust::NoCluster)?;
        if let Some(own) = self.cluster.as_ref().filter(|own| *own != cluster) {
            return Err(Distrust::OtherCluster {
                found: cluster.to_owned(),
                own: own.clone(),
            });
        }
        let record = record.ok_or(Distrust::NotRegistered)?;
        if record.agent_id != agent_id {
            return Err(Distrust::OtherAgent {
                id: record.agent_id.clone(),
            });
        }
        if self.past_epochs.contains(&record.epoch) {
            return Err(Distrust::PastEpoch);
        }
        let mut next = self.clone();
        if self.epoch.as_ref() == Some(&record.epoch) {
            if record.revision < self.revision {
                return Err(Distrust::Older {
                    found: record.revision,
                    own: self.revision,
                });
            }
        } else if let Some(past) = next.epoch.replace(record.epoch.clone()) {
            next.past_epochs.push_back(past);
            while next.past_epochs.len() > PAST_EPOCHS_MAX {
                next.past_epochs.pop_front();
            }
        }
        next.cluster = Some(cluster.to_owned());
        next.revision = record.revision;
        next.goals.clone_from(&record.goals);
        next.drain.clone_from(&record.drain);
        Ok(next)
    }
}

impl std::fmt::Display for Distrust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoCluster => f.write_str(
                "the store does not say which cluster it is: start a master on it, or check its address; \
                 what runs here goes on running",
            ),
            Self::OtherCluster { found, own } => write!(
                f,
                "the store belongs to cluster {found}, this agent to {own}: check the store's address; \
                 to move the agent for good, give it an empty state directory"
            ),
            Self::NotRegistered => f.write_str("this host is not registered"),
            Self::OtherAgent { id } => write!(
                f,
                "this host's name is registered to agent {id}: give this agent another --name, or \
                 deregister the host"
            ),
            Self::Older { found, own } => write!(
                f,
                "the store shows revision {found} of this host's goals, and {own} was acted on already: \
                 it was restored from an older copy; deregister the host to start anew"
            ),
            Self::PastEpoch => f.write_str("the store shows a registration of this host that has ended"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(epoch: &str, revision: u64) -> HostRecord {
        HostRecord {
            revision,
            ..HostRecord::new("a1", epoch)
        }
    }

    #[test]
    fn goals_never_go_back_in_time() {
        let fresh = Remembered::default();
        let first = fresh
            .accept("a1", Some("c"), Some(&record("e1", 5)))
            .unwrap();
        assert_eq!(
            first.accept("a1", Some("c"), Some(&record("e1", 4))),
            Err(Distrust::Older { found: 4, own: 5 })
        );
        let again = first.accept("a1", Some("c"), Some(&record("e1", 5)));
        assert_eq!(again.as_ref(), Ok(&first));
        let second = first
            .accept("a1", Some("c"), Some(&record("e2", 1)))
            .unwrap();
        assert_eq!(
            second.accept("a1", Some("c"), Some(&record("e1", 9))),
            Err(Distrust::PastEpoch)
        );
    }

    #[test]
    fn the_latest_registrations_that_ended_are_known() {
        let mut own = Remembered::default();
        for epoch in 0..PAST_EPOCHS_MAX + 3 {
            let next = own.accept("a1", Some("c"), Some(&record(&format!("e{epoch}"), 1)));
            own = next.unwrap();
        }
        assert_eq!(own.past_epochs.len(), PAST_EPOCHS_MAX);
        assert_eq!(own.past_epochs.front().map(String::as_str), Some("e2"));
    }

    #[test]
    fn another_or_an_empty_store_gives_no_orders() {
        let own = Remembered::default()
            .accept("a1", Some("c"), Some(&record("e1", 5)))
            .unwrap();
        assert_eq!(own.accept("a1", None, None), Err(Distrust::NoCluster));
        let other = own.accept("a1", Some("d"), Some(&record("e9", 9)));
        assert!(matches!(other, Err(Distrust::OtherCluster { .. })));
        assert_eq!(
            own.accept("a1", Some("c"), None),
            Err(Distrust::NotRegistered)
        );
        let other = own.accept("a2", Some("c"), Some(&record("e1", 6)));
        assert!(matches!(other, Err(Distrust::OtherAgent { .. })));
    }
}
