//! What changes cost: transactions of the store, and deployments through `Cluster`.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use helios_core::ops::{CreateJob, Deploy, Undeploy};
use helios_core::store::{Key, Store, Txn, Version};
use helios_core::{Cluster, Goal, Job, JobId};
use helios_store::zookeeper::ZooKeeperStore;

use crate::bare::Bare;
use crate::{HOSTS, IN_FLIGHT, ROUNDS, host, table};

/// What one deployment writes: the host's entry with its job, and the audit record.
const WRITTEN: [usize; 2] = [520, 180];

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

/// The operations of a deployment, made out by hand.
pub(crate) async fn transactions(store: &ZooKeeperStore, bare: &Bare) {
    let mut first = Txn::new().create(key("bench/job"), "");
    for number in 0..HOSTS - 1 {
        first = first.create(key(&format!("targets/{number}")), "");
    }
    store.commit(first).await.unwrap();
    let last = Txn::new().create(key(&format!("targets/{}", HOSTS - 1)), "");
    let last = last.create(key("marks/first"), "");
    store.commit(last).await.unwrap();
    let mut rounds = table::Rounds::new();
    for round in 0..ROUNDS {
        let start = Instant::now();
        stream::iter(0..HOSTS)
            .for_each_concurrent(IN_FLIGHT, |number| async move {
                let [target, mark] = WRITTEN.map(|bytes| vec![b'x'; bytes]);
                let version = Version::from_raw(round as u64);
                let txn = Txn::new()
                    .check(key("bench/job"), Version::from_raw(0))
                    .update(key(&format!("targets/{number}")), version, target)
                    .create(key(&format!("marks/{round}-{number}")), mark);
                store.commit(txn).await.unwrap();
            })
            .await;
        rounds.push((start.elapsed(), bare.changes(IN_FLIGHT, WRITTEN).await));
    }
    table::row("transactions, 64 in flight", HOSTS, &rounds);
}

/// One job to all hosts, decided by `Cluster` from what it reads.
pub(crate) async fn deployments(cluster: &Cluster, bare: &Bare, what: &str, in_flight: usize) {
    let mut rounds = table::Rounds::new();
    for round in 0..ROUNDS {
        let job = Job::new(&format!("job{in_flight}-{round}:1"), "nginx").unwrap();
        let job = cluster.create_job(&CreateJob::new(job)).await.unwrap();
        let ours = deploy(cluster, &job, in_flight).await;
        rounds.push((ours, bare.changes(in_flight, WRITTEN).await));
        undeploy(cluster, &job).await;
    }
    table::row(what, if in_flight == HOSTS { 1 } else { HOSTS }, &rounds);
}

async fn deploy(cluster: &Cluster, job: &JobId, in_flight: usize) -> Duration {
    let start = Instant::now();
    stream::iter(0..HOSTS)
        .for_each_concurrent(in_flight, |number| async move {
            let deploy = Deploy::new(host(number), job.clone(), Goal::Start);
            cluster.deploy(&deploy).await.unwrap();
        })
        .await;
    start.elapsed()
}

async fn undeploy(cluster: &Cluster, job: &JobId) {
    stream::iter(0..HOSTS)
        .for_each_concurrent(IN_FLIGHT, |number| async move {
            let undeploy = Undeploy::new(host(number), job.clone());
            cluster.undeploy(&undeploy).await.unwrap();
        })
        .await;
}
