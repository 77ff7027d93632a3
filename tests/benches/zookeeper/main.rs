//! The figures of ZooKeeper: what Helios does beside what the bare client does, in turns on one server, and
//! what a fleet costs.
//!
//! `cargo bench -p helios-tests --bench zookeeper`; `HELIOS_AGENTS` is how many agents (5,000).

#![expect(clippy::print_stdout, reason = "figures are what this program is for")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "its inputs are its own, and a figure of a failed run would be none"
)]

mod agents;
mod bare;
mod changes;
#[path = "../../src/zookeeper/ensemble.rs"]
#[expect(dead_code, reason = "faults are for the tests")]
mod ensemble;
#[path = "../../src/zookeeper/proxy.rs"]
#[expect(dead_code, reason = "faults are for the tests")]
mod proxy;
mod table;
mod watching;

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use helios_core::ops::RegisterHost;
use helios_core::{Cluster, HostName};

use bare::Bare;
use ensemble::Ensemble;

/// How often each side has its turn.
const ROUNDS: usize = 5;

/// How many hosts there are.
const HOSTS: usize = 1000;

/// How many requests are under way where it is not said otherwise.
const IN_FLIGHT: usize = 64;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let ensemble = Ensemble::start(1).await;
    let bare = Bare::prepare(&ensemble).await;
    let store = ensemble.store("helios").await;
    let cluster = Cluster::on(Arc::new(store.clone())).unwrap();
    cluster.init().await.unwrap();
    register(&cluster).await;

    table::head();
    changes::transactions(&store, &bare).await;
    changes::deployments(&cluster, &bare, "deploys, 64 in flight", IN_FLIGHT).await;
    changes::deployments(&cluster, &bare, "one deploy to 1,000 hosts", HOSTS).await;
    watching::commit_until_watched(&ensemble).await;
    watching::commit_until_reconciled(&ensemble, &cluster).await;

    let agents = std::env::var("HELIOS_AGENTS").ok();
    let agents = agents.map_or(5000, |agents| agents.parse().unwrap());
    agents::fleet(&ensemble, &cluster, agents).await;
}

fn host(number: usize) -> HostName {
    format!("host{number:05}").parse().unwrap()
}

async fn register(cluster: &Cluster) {
    stream::iter(0..HOSTS)
        .for_each_concurrent(IN_FLIGHT, |number| async move {
            let request = RegisterHost {
                host: host(number),
                agent_id: format!("agent{number}"),
            };
            cluster.register_host(&request).await.unwrap();
        })
        .await;
}
