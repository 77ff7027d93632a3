//! Removing the dead containers that are kept no longer.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_core::future::BoxFuture;
use futures_util::FutureExt;
use tracing::{info, warn};

use crate::model::JobId;
use crate::reconcile::{Action, dead};
use crate::runtime::{ContainerId, RuntimeError};
use crate::time::Moment;

use super::act::Executor;
use super::run::{RETRY_AFTER, Running};

/// What the agent knows of the dead containers that it keeps.
#[derive(Default)]
pub(super) struct KeptDead {
    pub(super) latest: Arc<BTreeMap<JobId, ContainerId>>,
    pub(super) removal: Option<BoxFuture<'static, DeadRemoved>>,
    not_before: Moment,
}

/// How a removal ended.
pub(super) struct DeadRemoved {
    pub(super) id: ContainerId,
    pub(super) outcome: Result<(), RuntimeError>,
}

impl Running {
    /// Begins to remove the next dead container that is kept no longer, one at a time: nobody waits for it.
    pub(super) fn remove_dead(&mut self, now: Moment) {
        let Some(containers) = &self.live.observed.containers else {
            return;
        };
        let keep = self.live.desired.policy.keep_dead;
        let dead = dead(containers, keep, self.agent.clock.now());
        if *self.dead.latest != dead.latest {
            self.dead.latest = Arc::new(dead.latest);
        }
        self.wake_at(dead.next_in.map(|left| now.plus(left)));
        let Some(id) = dead.spent.into_iter().next() else {
            return;
        };
        if self.dead.removal.is_some() {
            return;
        }
        if now < self.dead.not_before {
            self.wake_at(Some(self.dead.not_before));
            return;
        }
        info!(container = %id, because = "it was kept for long enough", "removing a dead container");
        self.dead.removal = Some(remove(Arc::clone(&self.executor), id).boxed());
    }

    /// Learns how that ended. What is still there is tried again.
    pub(super) fn dead_removed(&mut self, removed: DeadRemoved, now: Moment) {
        let DeadRemoved { id, outcome } = removed;
        match (outcome, &mut self.live.observed.containers) {
            (Ok(()), Some(containers)) => {
                let name = containers.iter().find(|kept| kept.id == id);
                if let Some(name) = name.map(|kept| kept.name.clone()) {
                    containers.remove(&name);
                }
            }
            (Ok(()), None) => {}
            (Err(error), _) => {
                warn!(container = %id, %error, "a dead container was not removed");
                self.dead.not_before = now.plus(RETRY_AFTER);
            }
        }
    }
}

async fn remove(executor: Arc<Executor>, id: ContainerId) -> DeadRemoved {
    let outcome = executor.run(&Action::Remove(id.clone()), id.as_str()).await;
    DeadRemoved {
        id,
        outcome: outcome.map(drop),
    }
}
