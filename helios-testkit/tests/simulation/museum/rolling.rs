//! Masters that move rolling updates wrongly.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use futures_util::future::join;
use helios_core::cluster::ClusterError;
use helios_core::model::{DeploymentGroup, HealthCheck, Job, RolloutOptions};
use helios_core::ops::CreateJob;
use helios_core::schema::{Versioned, decode, encode};
use helios_core::store::{Op, Txn};
use helios_rollout::rolling::{GroupRecord, Groups, RollOut, RolloutState, advance, step};
use helios_testkit::sim::MasterCtx;
use tokio::time::sleep;

const GROUP: &str = "front";

/// What is wrong with a master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    NoLimit,
    StartedIsDone,
    LooksAway,
    NeverGivesUp,
    FinishesTheOld,
    OnlyItsOwn,
}

/// A master that moves rollouts well enough, but for what is wrong with it.
pub(super) async fn run(master: MasterCtx, wrong: Option<Wrong>) {
    let mut driver = Driver {
        groups: Groups::of(master.cluster.clone()),
        wrong,
        own: BTreeSet::new(),
        old: None,
    };
    master.begin().await;
    if master.number != 0 {
        return driver.run(&master).await;
    }
    let groups = driver.groups.clone();
    let (sender, asked) = tokio::sync::mpsc::unbounded_channel();
    let asks = async {
        // A master that was started again finds what it asked for, and asks for nothing more.
        let found = groups.get(GROUP).await;
        if found.is_ok_and(|group| group.is_none()) {
            asks(&master, &groups, sender).await;
        }
    };
    driver.own_from(asked, &master, asks).await;
}

/// Asks for one job after the other: two that get well, and one that never does.
async fn asks(
    master: &MasterCtx,
    groups: &Groups,
    asked: tokio::sync::mpsc::UnboundedSender<String>,
) {
    for version in (0..3).cycle() {
        if master.is_over() {
            return;
        }
        let mut job = Job::new(&format!("{GROUP}:{version}"), "web:1").expect("a job");
        job.seconds_to_wait_before_kill = Some(3);
        if version == 2 {
            job.health_check = Some(HealthCheck::exec(["true"]));
            job.command = vec!["unwell".to_owned()];
        }
        let mut request = RollOut::new(GROUP, job.compute_id());
        request.options.timeout = Some(15);
        drop(master.cluster.create_job(&CreateJob::new(job)).await);
        let selectors = vec!["role=web".parse().expect("a selector")];
        drop(groups.create(&DeploymentGroup::new(GROUP, selectors)).await);
        if groups.roll_out(&request).await.is_ok()
            && let Ok(Some(group)) = groups.get(GROUP).await
            && let Some(rollout) = &group.rollout
        {
            // Nobody listens any more once the master is gone.
            let _ = asked.send(rollout.id.clone());
        }
        sleep(Duration::from_secs(20)).await;
    }
}

struct Driver {
    groups: Groups,
    wrong: Option<Wrong>,
    /// The rollouts that this very master was asked for.
    own: BTreeSet<String>,
    /// The group with the first rollout that it saw, as far as it has come.
    old: Option<GroupRecord>,
}

impl Driver {
    async fn own_from(
        &mut self,
        mut asked: tokio::sync::mpsc::UnboundedReceiver<String>,
        master: &MasterCtx,
        asks: impl Future<Output = ()>,
    ) {
        let moves = async {
            loop {
                while let Ok(id) = asked.try_recv() {
                    self.own.insert(id);
                }
                self.look(master).await;
            }
        };
        join(asks, moves).await;
    }

    async fn run(&mut self, master: &MasterCtx) {
        loop {
            self.look(master).await;
        }
    }

    /// Looks every second, and makes the next step.
    async fn look(&mut self, master: &MasterCtx) {
        sleep(Duration::from_secs(1)).await;
        let Ok(Some(group)) = self.groups.get(GROUP).await else {
            return;
        };
        let Ok(fleet) = master.cluster.fleet().await else {
            return;
        };
        let Some(seen) = self.seen(&group) else {
            return;
        };
        let seen = Versioned::new(group.version, seen);
        let now = master.cluster.clock().now();
        let plan = advance(&seen, &fleet, now);
        if plan.is_empty() {
            return;
        }
        let (groups, wrong) = (&group, self.wrong);
        let (seen, plan, fleet) = (&seen, &plan, &fleet);
        let made = master.cluster.transact(GROUP, |stamp| async move {
            let txn = step(seen, plan, fleet, now, &stamp, "master");
            Ok::<_, ClusterError<Infallible>>(spoil(wrong, groups, &txn))
        });
        if made.await.is_ok_and(|made| made.is_some())
            && let Ok(Some(group)) = self.groups.get(GROUP).await
            && self.old.is_some()
        {
            self.old = Some(GroupRecord::clone(&group));
        }
    }

    /// The group as this master sees it, if it does anything about it.
    fn seen(&mut self, group: &GroupRecord) -> Option<GroupRecord> {
        let mut seen = group.clone();
        let rollout = seen.rollout.as_mut()?;
        match self.wrong {
            Some(Wrong::NoLimit) => rollout.policy.parallelism = "100".parse().ok(),
            Some(Wrong::NeverGivesUp) => {
                let mut options = RolloutOptions::default();
                options.timeout = Some(15);
                options.ignore_failures = Some(true);
                seen.group.rollout_options = Some(options);
            }
            Some(Wrong::OnlyItsOwn) if !self.own.contains(&rollout.id) => return None,
            Some(Wrong::FinishesTheOld) => {
                let old = self.old.get_or_insert_with(|| group.clone());
                let ended = |old: &GroupRecord| {
                    let state = old.rollout.as_ref().map(|rollout| rollout.state);
                    state != Some(RolloutState::RollingOut)
                };
                if ended(old) {
                    *old = group.clone();
                }
                seen = old.clone();
            }
            Some(Wrong::StartedIsDone | Wrong::LooksAway | Wrong::OnlyItsOwn) | None => {}
        }
        Some(seen)
    }
}

/// Makes a step wrong, and leaves as few traces of that as a bug would.
fn spoil(wrong: Option<Wrong>, group: &GroupRecord, txn: &Txn) -> Txn {
    let mut spoilt = Txn::new();
    for op in txn.ops() {
        let is_group = op.key().as_str().starts_with("groups/");
        spoilt = match op.clone() {
            _ if is_group && wrong == Some(Wrong::LooksAway) => spoilt,
            Op::Check { key, version } => spoilt.check(key, version),
            Op::Create { key, value, .. } => spoilt.create(key, value),
            Op::Delete { key, version } => spoilt.delete(key, version),
            Op::Update {
                key,
                version,
                value,
            } if is_group => {
                let mut record: GroupRecord = decode(&key, &value).expect("a group");
                spoil_group(wrong, group, &mut record);
                spoilt.update(key, version, encode(&record))
            }
            Op::Update {
                key,
                version,
                value,
            } => spoilt.update(key, version, value),
        };
    }
    spoilt
}

fn spoil_group(wrong: Option<Wrong>, group: &GroupRecord, record: &mut GroupRecord) {
    let options = group.group.rollout_options.clone();
    let Some(rollout) = &mut record.rollout else {
        return;
    };
    match wrong {
        Some(Wrong::NoLimit) => rollout.policy.parallelism = None,
        Some(Wrong::NeverGivesUp) => record.group.rollout_options = options,
        Some(Wrong::StartedIsDone) => {
            let flying = std::mem::take(&mut rollout.in_flight);
            rollout.done += flying.len() as u64;
        }
        Some(Wrong::LooksAway | Wrong::FinishesTheOld | Wrong::OnlyItsOwn) | None => {}
    }
}
