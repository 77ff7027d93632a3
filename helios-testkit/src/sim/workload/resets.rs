//! Hosts that are reset, a few at a time.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join;
use helios_core::cluster::ClusterError;
use helios_core::model::{Job, JobId};
use helios_core::ops::{CreateJob, Deploy, Refused};
use helios_core::{Goal, HostName};
use helios_rollout::Share;
use helios_rollout::order::Amount;
use helios_rollout::reset::{
    Action, Control, GroupLimit, Limits, Patience, Reset, ResetDriver, ResetRefused, Resets, Wanted,
};
use tokio::time::sleep;

use super::super::dice::Dice;
use super::super::power::Power;
use super::super::trace::Actor;
use super::{MasterCtx, SEE_TO_IT};

/// The resets there are. Both are for all hosts, so one of them is refused while the other one goes on.
const RESETS: [&str; 2] = ["spring", "autumn"];

impl MasterCtx {
    /// A driver of the cluster's resets, which can have any machine restarted.
    #[must_use]
    pub fn reset_driver(&self) -> ResetDriver {
        let me = format!("{}-{}", self.life.actor, self.life.number);
        let power = Power::of_master(&self.world, &self.life);
        ResetDriver::new(&self.cluster, me, Arc::new(power))
    }

    /// Sees to it that the job runs on these hosts, as soon as they are registered.
    ///
    /// # Cancellation
    /// Some of them may have it.
    pub async fn settle(&self, job: &Job, hosts: impl IntoIterator<Item = HostName>) {
        let create = CreateJob::new(job.clone());
        let id = job.compute_id();
        loop {
            match self.cluster.create_job(&create).await {
                Ok(_) | Err(ClusterError::Refused(Refused::JobAlreadyExists { .. })) => break,
                Err(_) => sleep(Duration::from_secs(1)).await,
            }
        }
        for host in hosts {
            self.settle_on(&id, host).await;
        }
    }

    async fn settle_on(&self, job: &JobId, host: HostName) {
        let deploy = Deploy::new(host, job.clone(), Goal::Start);
        loop {
            match self.cluster.deploy(&deploy).await {
                Ok(()) | Err(ClusterError::Refused(Refused::AlreadyDeployed { .. })) => return,
                Err(_) => sleep(Duration::from_secs(1)).await,
            }
        }
    }
}

/// Moves resets, and meanwhile asks for more.
pub(super) async fn resets(mut master: MasterCtx) {
    master.begin().await;
    let driver = master.reset_driver();
    join(changes(&mut master), driver.run(pending())).await;
}

async fn changes(master: &mut MasterCtx) {
    let is_first = master.life.actor == Actor::Master(0);
    if is_first {
        populate(master).await;
    }
    let name = master.life.actor.to_string();
    let world = master.world.clone();
    let dice = |count| world.with(|state| state.dice(&format!("reset {name}"), count));
    let pace = dice(0).between(Duration::from_secs(5), Duration::from_secs(45));
    let life = u64::from(master.life.number) << 32;
    let mut count = 0;
    while !master.is_over() {
        count += 1;
        let mut dice = dice(life + count);
        one_change(master, &mut dice).await;
        sleep(dice.between(Duration::from_secs(1), pace)).await;
    }
    if is_first {
        // The last reset is asked for when nothing fails any more: it must end in time.
        sleep(Duration::from_secs(6)).await;
        let mut dice = dice(u64::MAX);
        for name in RESETS {
            start(master, &mut dice, name).await;
        }
    }
}

/// One service on all hosts, and one on every second. It is given up when things do not fail any more.
async fn populate(master: &MasterCtx) {
    for (name, every) in [("all", 1), ("some", 2)] {
        let Ok(job) = Job::new(&format!("{name}:1"), "web:1") else {
            return;
        };
        let hosts: Vec<_> = master.hosts.iter().step_by(every).cloned().collect();
        let over = async {
            while !master.is_over() {
                sleep(Duration::from_secs(1)).await;
            }
        };
        tokio::select! {
            biased;
            () = over => return,
            () = master.settle(&job, hosts) => {}
        }
    }
}

/// Whether it comes about is for the checks to say.
async fn one_change(master: &mut MasterCtx, dice: &mut Dice) {
    let Some(name) = dice.pick(&RESETS).copied() else {
        return;
    };
    let (what, control) = match dice.below(100) {
        0..45 => return start(master, dice, name).await,
        45..55 => ("paused", Control::Pause),
        55..75 => {
            let again = dice.chance(500);
            let resume = Control::Resume {
                again,
                deadline: None,
            };
            ("resumed", resume)
        }
        75..85 => ("aborted", Control::Abort),
        85..90 => return deregister(master, dice).await,
        _ => return,
    };
    let note = format!("{SEE_TO_IT} reset {name} is {what}");
    let asked = master.ask::<_, ResetRefused, _>(note, |cluster| async move {
        Resets::of(cluster).control(name, &control).await
    });
    drop(asked.await);
}

async fn start(master: &mut MasterCtx, dice: &mut Dice, name: &str) {
    let reset = reset(master, dice, name);
    let note = format!("{SEE_TO_IT} reset {name} goes on");
    let asked = master.ask(note, |cluster| async move {
        Resets::of(cluster).start(&reset).await
    });
    drop(asked.await);
}

async fn deregister(master: &mut MasterCtx, dice: &mut Dice) {
    let Some(host) = dice.pick(&master.hosts).cloned() else {
        return;
    };
    let asked = master.ask(format!("deregister {host}"), |cluster| async move {
        cluster.deregister_host(&host).await
    });
    drop(asked.await);
}

/// Every host since now, within a minute or two, by limits that chance decides.
fn reset(master: &MasterCtx, dice: &mut Dice, name: &str) -> Reset {
    let (now, secs) = (master.cluster.now(), Duration::from_secs);
    let actions = [Action::Agent, Action::Agent, Action::Master, Action::None];
    let minimums = [
        Amount::Hosts(0),
        Amount::Hosts(1),
        Amount::Share(Share::from_percent(50)),
    ];
    let by_zone = GroupLimit {
        label: "zone".to_owned(),
        share: Share::from_percent(50),
        floor: 1,
        ceiling: dice.chance(300).then_some(1),
        keep: dice.below(2),
    };
    Reset {
        name: name.to_owned(),
        hosts: Vec::new(),
        wanted: Wanted::ResetSince(now),
        deadline: now.plus(dice.between(secs(60), secs(150))),
        action: dice.pick(&actions).copied().unwrap_or_default(),
        limits: Limits {
            at_once: 1 + dice.below(3),
            groups: dice.chance(500).then_some(by_zone).into_iter().collect(),
            minimum_healthy: dice.pick(&minimums).copied().unwrap_or(Amount::Hosts(1)),
            services: BTreeMap::new(),
            first_alone: dice.chance(300),
            failures: dice.below(3),
            ..Limits::default()
        },
        patience: Patience {
            drain: secs(40),
            ask: secs(10),
            away: secs(60),
            check: secs(60),
            settle: secs(3),
            service: secs(30),
            expected: secs(10),
        },
        guard: None,
    }
}
