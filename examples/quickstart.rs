//! A cluster, an agent and a running job in one process, with no Docker and no ZooKeeper.

use std::sync::Arc;

use helios_core::agent::{Agent, AgentId};
use helios_core::ops::{CreateJob, Deploy};
use helios_core::{Cluster, Goal, HostName, Job, PortMapping};
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
    let state = Arc::new(MemoryStateDir::new());
    let agent = Agent::new(host.clone(), id, store, runtime, state);
    tokio::spawn(agent.run(std::future::pending()));
    cluster.wait_until(|fleet| fleet.is_up(&host)).await?;

    let job = Job::new("web:1", "nginx:1.27")?.port("http", PortMapping::tcp(80));
    let job = cluster.create_job(&CreateJob::new(job)).await?;
    let deploy = Deploy::new(host.clone(), job.clone(), Goal::Start);
    cluster.deploy(&deploy).await?;

    cluster
        .wait_until(|fleet| fleet.is_running(&host, &job))
        .await?;
    println!("{job} runs on {host}");
    Ok(())
}
