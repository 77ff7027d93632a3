//! An agent in a binary of your own: this machine's Docker, a durable store beside it, one process.

use std::sync::Arc;

use helios_core::Cluster;
use helios_core::agent::{Agent, AgentId};
use helios_core::state_dir::FileStateDir;
use helios_docker::{DockerEndpoint, DockerRuntime};
use helios_store::FileStore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::temp_dir().join("helios-embed-agent");
    let state = Arc::new(FileStateDir::open(dir.join("state"))?);
    let store = Arc::new(FileStore::open(dir.join("store"))?);
    Cluster::on(store.clone())?.init().await?;

    let id = AgentId::load(&*state, None).await?;
    let docker = DockerRuntime::connect(DockerEndpoint::default(), id.owner().clone()).await?;
    let docker = Arc::new(docker);
    let agent = Agent::new("web1".parse()?, id, store, docker.clone(), state).probe(docker);
    println!("the agent runs; Ctrl-C ends it, and its containers go on");
    agent
        .run(async { drop(tokio::signal::ctrl_c().await) })
        .await?;
    Ok(())
}
