//! Rolling updates: no limit is broken and every one ends, whatever becomes of agents and masters.

use std::time::Duration;

use helios_core::cluster::ClusterError;
use helios_core::model::{DeploymentGroup, Job};
use helios_core::ops::CreateJob;
use helios_rollout::rolling::{Driver, GroupRefused, Groups, RollOut};
use helios_testkit::sim::{MasterCtx, Sim, Workload};
use tokio::time::sleep;

use super::{PLANNED, replayed};

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

pub(super) fn scenario(number: u64) -> Sim {
    Sim::new(number)
        .masters(2)
        .hosts(2)
        .lasting(Duration::from_secs(60))
        .stable_for(Duration::from_secs(300))
        .workload(Workload::new(one_update))
        .replay_with(replayed(&format!("HELIOS_SIM_ROLLING=1 {PLANNED}"), number))
}
