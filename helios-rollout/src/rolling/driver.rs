//! The loop around the planner.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use helios_core::cluster::{Cluster, ClusterError, FleetView, Records};
use helios_core::schema::{Keys, Versioned};
use helios_core::store::{Scope, Snapshot, Txn};
use helios_core::{Moment, Timestamp};
use tokio::time::sleep;

use super::{GroupRecord, RolloutPlan, advance, step};

/// How soon a step is tried again that did not work out.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// How long at most until everything is looked at again, though nothing is due and nothing changes.
const LOOK_AFTER: Duration = Duration::from_secs(30);

/// On whose behalf steps are recorded.
const PRINCIPAL: &str = "rolling update";

/// Moves the rollouts of all groups of a cluster.
///
/// Any number of them may run at once, on any number of masters: each step rests on the versions of what it
/// was made from, so one of them makes it, and the others see that it is made. None of them has anything to
/// remember. Nothing is written while nothing is to be done.
#[derive(Debug)]
pub struct Driver {
    cluster: Cluster,
    master: String,
    /// Where both clocks stood at the start. A wall clock that jumps later moves no deadline.
    begun: (Timestamp, Moment),
}

/// What the watches have shown.
#[derive(Default)]
struct Seen {
    fleet: Option<FleetView>,
    snapshot: Option<Snapshot>,
    groups: Records<String, GroupRecord>,
    /// The last step of each rollout, and when this driver first saw it.
    steps: BTreeMap<String, (Timestamp, Moment)>,
}

impl Seen {
    fn take_groups(&mut self, newer: Snapshot) {
        let older = self.snapshot.take().unwrap_or_default();
        self.groups.advance(&Keys::groups(), &older, &newer);
        self.snapshot = Some(newer);
    }

    /// Notes the last steps, as seen at `moment`.
    fn note_steps(&mut self, moment: Moment) {
        let rollouts = self.groups.iter().filter_map(|(name, group)| {
            let changed = group.rollout.as_ref()?.changed;
            let known = self.steps.get(name).filter(|(step, _)| *step == changed);
            Some((name.clone(), known.copied().unwrap_or((changed, moment))))
        });
        self.steps = rollouts.collect();
    }
}

impl Driver {
    /// A driver for that cluster. `master` is whose name its deployments bear.
    #[must_use]
    pub fn new(cluster: &Cluster, master: impl Into<String>) -> Self {
        let cluster = cluster.on_behalf_of(PRINCIPAL);
        let begun = (cluster.clock().now(), cluster.clock().moment());
        Self {
            cluster,
            master: master.into(),
            begun,
        }
    }

    /// Moves rollouts until `shutdown` ends or the store is closed. Trouble with the store is logged and
    /// waited out.
    ///
    /// # Cancellation
    /// May be dropped at any time. That is a crash, and a crash loses nothing.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        let mut fleets = self.cluster.watch_fleet();
        let mut groups = self.cluster.store().watch(Scope::Children(Keys::groups()));
        let mut seen = Seen::default();
        let mut pause = LOOK_AFTER;
        loop {
            // Always in this order, so that what a simulated master does follows from its seed.
            tokio::select! {
                biased;
                () = &mut shutdown => return,
                item = groups.next() => match item {
                    Some(Ok(snapshot)) => seen.take_groups(snapshot),
                    Some(Err(error)) => tracing::warn!(%error, "the watch of the groups has trouble"),
                    None => return,
                },
                item = fleets.next() => match item {
                    Some(Ok(fleet)) => seen.fleet = Some(fleet),
                    Some(Err(error)) => tracing::warn!(%error, "the watch of the cluster has trouble"),
                    None => return,
                },
                () = sleep(pause) => {}
            }
            seen.note_steps(self.cluster.clock().moment());
            tokio::select! {
                biased;
                () = &mut shutdown => return,
                next = self.look(&seen) => pause = next,
            }
        }
    }

    /// Makes the next step of every group. Returns when to look again at the latest.
    async fn look(&self, seen: &Seen) -> Duration {
        let mut pause = LOOK_AFTER;
        let (Some(fleet), Some(_)) = (&seen.fleet, &seen.snapshot) else {
            return pause;
        };
        for (name, group) in seen.groups.iter() {
            let now = self.now(seen.steps.get(name));
            let plan = advance(group, fleet, now);
            if let Some(wake) = plan.wake {
                pause = pause.min(wake.since(now).max(Duration::from_millis(1)));
            }
            if plan.is_empty() {
                continue;
            }
            match self.make(name, group, &plan, fleet, now).await {
                Ok(true) => {}
                Ok(false) => pause = pause.min(AGAIN_AFTER),
                Err(error) => {
                    tracing::warn!(%error, group = name, "a step of a rollout could not be made");
                    pause = pause.min(AGAIN_AFTER);
                }
            }
        }
        pause
    }

    /// Commits a step. False when it was not made: the view it was planned from is not the present.
    async fn make(
        &self,
        name: &str,
        group: &Versioned<GroupRecord>,
        plan: &RolloutPlan,
        fleet: &FleetView,
        now: Timestamp,
    ) -> Result<bool, ClusterError<Infallible>> {
        for key in &plan.absent {
            if self.cluster.store().get(key).await?.is_some() {
                return Ok(false);
            }
        }
        let tried = AtomicBool::new(false);
        let tried = &tried;
        let made = self
            .cluster
            .transact(name, |stamp| async move {
                // Somebody was faster, or an answer got lost: what is planned next rests on a newer view.
                if tried.swap(true, Ordering::Relaxed) {
                    return Ok(Txn::new());
                }
                Ok::<_, ClusterError<Infallible>>(step(
                    group,
                    plan,
                    fleet,
                    now,
                    &stamp,
                    &self.master,
                ))
            })
            .await?;
        if made.is_some() {
            tracing::debug!(group = name, verdict = %plan.verdict, "made a step of a rollout");
        }
        Ok(made.is_some())
    }

    /// The present of a rollout: by this master's clock, but never before the last step, and as long after it
    /// as this driver has seen it. Else a master whose clock is years behind would wait for years.
    fn now(&self, step: Option<&(Timestamp, Moment)>) -> Timestamp {
        let moment = self.cluster.clock().moment();
        let after = |(at, seen): (Timestamp, Moment)| at.plus(moment.since(seen));
        let by_clock = after(self.begun);
        step.map_or(by_clock, |step| after(*step).max(by_clock))
    }
}
