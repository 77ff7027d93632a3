//! Rolling updates: no limit is broken and every one ends, whatever becomes of agents and masters.

use std::time::Duration;

use helios_core::cluster::ClusterError;
use helios_core::model::{DeploymentGroup, Job};
use helios_core::ops::CreateJob;
use helios_rollout::rolling::{Driver, GroupRefused, Groups, RollOut};
use helios_testkit::sim::campaign::Campaign;
use helios_testkit::sim::{Actor, FaultKind, MasterCtx, Point, Sim, Workload};
use tokio::time::sleep;

use super::replayed;

pub(super) fn swarm(seed: u64) -> Sim {
    Sim::swarm(seed)
        .workload(Workload::rolling())
        .stable_for(Duration::from_secs(600))
        .replay_with(replayed("HELIOS_SIM_ROLLING=1 ", seed))
}

/// One rolling update over two hosts, asked for until a master says that it has begun.
async fn one_update(master: MasterCtx) {
    let driver = Driver::new(&master.cluster, format!("master{}", master.number));
    let groups = Groups::of(master.cluster.clone());
    let ask = async {
        while begin(&master, &groups).await.is_err() {
            sleep(Duration::from_secs(1)).await;
        }
    };
    futures_util::future::join(ask, driver.run(std::future::pending())).await;
}

async fn begin(master: &MasterCtx, groups: &Groups) -> Result<(), ClusterError<GroupRefused>> {
    master.cluster.init().await?;
    if groups
        .get("front")
        .await?
        .is_some_and(|group| group.rollout.is_some())
    {
        return Ok(());
    }
    let job = Job::new("front:1", "web:1").expect("a job");
    let id = job.compute_id();
    // It may be there already, from the life before.
    drop(master.cluster.create_job(&CreateJob::new(job)).await);
    let selectors = vec!["role=web".parse().expect("a selector")];
    groups
        .create(&DeploymentGroup::new("front", selectors))
        .await?;
    // Hosts that nobody has heard of belong to no group yet; they join when they are there.
    groups.roll_out(&RollOut::new("front", id)).await?;
    Ok(())
}

fn scenario(number: u64) -> Sim {
    Sim::new(number)
        .masters(2)
        .hosts(2)
        .lasting(Duration::from_secs(60))
        .stable_for(Duration::from_secs(300))
        .workload(Workload::new(one_update))
}

pub(super) fn single_faults(round: u64, size: u64) -> Campaign {
    let most = usize::try_from(size).expect("a number");
    Campaign::of_single_faults(|| scenario(round), most)
}

/// Whatever becomes of the masters, each of these rolling updates comes to its end.
pub(super) fn masters_that_die(round: u64, size: u64) -> Campaign {
    let dies = |point: &Point| {
        let Point::Call { actor, kind, .. } = point else {
            return false;
        };
        let dies = matches!(kind, FaultKind::CrashBefore | FaultKind::CrashAfter);
        dies && matches!(actor, Actor::Master(_))
    };
    let most = usize::try_from(size).expect("a number");
    let campaign = Campaign::of_single_faults_at(|| scenario(round), most, dies);
    let ended = campaign.sometimes.get("a rollout came to every host");
    assert!(
        ended.is_some_and(|ended| *ended >= campaign.runs),
        "{campaign}"
    );
    campaign
}
