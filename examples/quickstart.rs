//! A cluster, an agent and a running job in one process, with no Docker and no ZooKeeper.

use std::sync::Arc;

use helios_core::agent::{Agent, AgentId};
use helios_core::cluster::FleetView;
use helios_core::ops::{CreateJob, Deploy};
use helios_core::{Cluster, Goal, HostName, Job, PortMapping, TaskState};
use helios_store::MemoryStore;
use helios_testkit::host::MemoryStateDir;
use helios_testkit::runtime::FakeRuntime;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = Arc::new(MemoryStore::new());
    let cluster = Cluster::on(store.clone())?;
    cluster.init().await?;

    let host: HostName = "web1".parse()?;
    let id = AgentId::new("agent1")?;
    let runtime = Arc::new(FakeRuntime::new(id.owner().clone()));
    let agent = Agent::new(
        host.clone(),
        id,
        store,
        runtime,
        Arc::new(MemoryStateDir::new()),
    );
    tokio::spawn(agent.run(std::future::pending()));
    cluster
        .wait_until(|fleet| fleet.host(&host).is_some_and(|host| host.up))
        .await?;

    let job = Job::new("web:1", "nginx:1.27")?.port("http", PortMapping::tcp(80));
    let job = cluster.create_job(&CreateJob::new(job)).await?;
    cluster
        .deploy(&Deploy::new(host.clone(), job.clone(), Goal::Start))
        .await?;

    let runs = |fleet: &FleetView| {
        fleet
            .task(&host, &job)
            .is_some_and(|task| task.state == TaskState::Running)
    };
    let fleet = cluster.wait_until(runs).await?;
    println!("{job} runs on {host}: {:?}", fleet.task(&host, &job));
    Ok(())
}
