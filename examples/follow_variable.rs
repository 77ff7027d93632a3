//! A machine that follows a value, with no agent and no engine: it asks a master now and then, remembers the answer on
//! disk, and never goes back to an older one. `helios follow` does the same for a command of yours.

use std::sync::Arc;
use std::time::Duration;

use helios_api::Client;
use helios_api::client::Follower;
use helios_api::server::{MasterState, router, serve};
use helios_core::Cluster;
use helios_rollout::drive::{Setting, Variables};
use helios_store::MemoryStore;
use tokio::net::TcpListener;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// A master, as anybody may run one; yields its address.
async fn master(cluster: &Cluster) -> Outcome<String> {
    let app = router(MasterState::new(cluster.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    tokio::spawn(serve(listener, app, std::future::pending()));
    Ok(address)
}

fn settled(value: &str) -> Setting {
    Setting {
        value: value.into(),
        allowed: None,
        forbidden: None,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let cluster = Cluster::on(Arc::new(MemoryStore::new()))?;
    cluster.init().await?;
    let variables = Variables::on(cluster.clone());
    variables.set("docker", &settled("26.1")).await?;
    let master = master(&cluster).await?;

    let file = std::env::temp_dir().join(format!("helios-follow-{}.json", std::process::id()));
    let follow = || -> Outcome<Follower> {
        let follower = Follower::open(Client::new(&master)?, "laptop-7", &file)?;
        let labels = [("role".to_owned(), "laptop".to_owned())];
        Ok(follower.labels(labels).every(Duration::from_millis(200)))
    };

    let mut follower = follow()?;
    for next in ["27.0", "28.0"] {
        let values = follower.next().await;
        println!("told   docker = {:?}", values.get("docker"));
        // Here it would be installed. What fails is told to the master, where it may halt the rollout.
        follower.enacted(Ok(()))?;
        variables.set("docker", &settled(next)).await?;
    }
    drop(follower);

    // Started again it knows what it did, also while no master can be reached.
    let mut follower = follow()?;
    println!("before the restart: {:?}", follower.values().get("docker"));
    let values = follower.next().await;
    println!("told   docker = {:?}", values.get("docker"));
    assert_eq!(values.get("docker"), Some(&"28.0".into()));
    std::fs::remove_file(&file)?;
    Ok(())
}
