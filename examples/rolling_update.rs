//! A rolling update: three machines by their labels, one at a time, moved by any number of masters. Here all of it is in
//! one process, on an engine in memory; nothing in it changes on ZooKeeper and Docker.

use std::sync::Arc;
use std::time::Duration;

use helios_core::agent::{Agent, AgentId};
use helios_core::model::DeploymentGroup;
use helios_core::ops::CreateJob;
use helios_core::{Cluster, HostName, Job, JobId};
use helios_rollout::rolling::{Driver, Groups, Policy, RollOut, RolloutState};
use helios_store::MemoryStore;
use helios_testkit::host::MemoryStateDir;
use helios_testkit::runtime::FakeRuntime;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// A machine of the group.
fn machine(name: &HostName, store: &MemoryStore) -> Outcome<()> {
    let id = AgentId::new(format!("agent-of-{name}"))?;
    let runtime = Arc::new(FakeRuntime::new(id.owner().clone()));
    let (store, state) = (Arc::new(store.session()), Arc::new(MemoryStateDir::new()));
    let agent = Agent::new(name.clone(), id, store, runtime, state).labels([("role", "web")]);
    tokio::spawn(agent.run(std::future::pending()));
    Ok(())
}

/// Rolls a job out over the group, and waits until it came to everybody.
async fn roll_out(cluster: &Cluster, id: &str) -> Outcome<JobId> {
    let job = Job::new(id, format!("registry.example/{id}"))?;
    let job = cluster.create_job(&CreateJob::new(job)).await?;
    let groups = Groups::of(cluster.clone());
    let mut order = RollOut::new("front", job.clone());
    order.policy = Policy {
        parallelism: Some("1".parse()?),
        rollback: true,
        ..Policy::default()
    };
    groups.roll_out(&order).await?;
    loop {
        let group = groups.get("front").await?.ok_or("the group is gone")?;
        let rollout = group.rollout.as_ref().ok_or("nothing was rolled out")?;
        match rollout.state {
            RolloutState::RollingOut => tokio::time::sleep(Duration::from_millis(100)).await,
            RolloutState::Failed => return Err(format!("given up: {:?}", rollout.error).into()),
            RolloutState::Done => {
                rollout
                    .log
                    .iter()
                    .for_each(|note| println!("{}", note.text));
                return Ok(job);
            }
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let store = MemoryStore::new();
    let cluster = Cluster::on(Arc::new(store.clone()))?;
    cluster.init().await?;
    let hosts: Vec<HostName> = vec!["web1".parse()?, "web2".parse()?, "web3".parse()?];
    hosts.iter().try_for_each(|host| machine(host, &store))?;
    cluster
        .wait_until(|fleet| hosts.iter().all(|host| fleet.is_up(host)))
        .await?;

    // Any number of these may run, on as many machines; there is no leader.
    for master in ["m1", "m2"] {
        tokio::spawn(Driver::new(&cluster, master).run(std::future::pending()));
    }
    let groups = Groups::of(cluster.clone());
    let front = DeploymentGroup::new("front", vec!["role=web".parse()?]);
    groups.create(&front).await?;

    roll_out(&cluster, "site:1").await?;
    let second = roll_out(&cluster, "site:2").await?;
    let fleet = cluster.fleet().await?;
    for host in &hosts {
        let task = fleet.task(host, &second).ok_or("no task")?;
        println!("{host}: {second} is {}", task.state);
    }
    Ok(())
}
