//! The figures: commits and watches of the store against the bare client, in one run on one server.
//!
//! `cargo bench -p helios-tests --bench zookeeper`

#![expect(clippy::print_stdout, reason = "figures are what this program is for")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "its inputs are its own, and a figure of a failed run would be none"
)]

#[path = "../src/zookeeper/ensemble.rs"]
#[expect(dead_code, reason = "faults are for the tests")]
mod ensemble;
#[path = "../src/zookeeper/proxy.rs"]
#[expect(dead_code, reason = "faults are for the tests")]
mod proxy;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream;
use helios_core::store::{Key, Scope, Store, Txn, Version};
use helios_store::zookeeper::ZooKeeperStore;
use zookeeper_client::{Acls, AddWatchMode, Client, CreateMode};

use ensemble::Ensemble;

const ROUNDS: usize = 5;
const COMMITS: usize = 4000;
const IN_FLIGHT: usize = 64;
const EVENTS: usize = 500;
const HOSTS: usize = 1000;

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let ensemble = Ensemble::start(1).await;
    let store = ensemble.store("store").await;
    let bare = Arc::new(Client::connect(&ensemble.server(0)).await.unwrap());
    prepare(&store, &bare).await;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        ours.push(commits(&store, round).await);
        theirs.push(multis(&bare, round).await);
    }
    report("commits, 64 in flight", &mut ours, &mut theirs);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        ours.push(watched(&ensemble, round).await);
        theirs.push(events(&ensemble, round).await);
    }
    report("commit until watched", &mut ours, &mut theirs);
}

fn report(what: &str, ours: &mut [Duration], theirs: &mut [Duration]) {
    ours.sort_unstable();
    theirs.sort_unstable();
    let (ours, theirs) = (ours[ROUNDS / 2], theirs[ROUNDS / 2]);
    let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
    println!("{what}: store {ours:.1?}, bare {theirs:.1?}, speed of the store {ratio:.2} x bare");
}

/// A job, a thousand hosts and a directory of marks, on both sides.
async fn prepare(store: &ZooKeeperStore, bare: &Client) {
    let open = CreateMode::Persistent.with_acls(Acls::anyone_all());
    for dir in [
        "/bare",
        "/bare/jobs",
        "/bare/hosts",
        "/bare/audit",
        "/bare/jobs/a",
    ] {
        bare.create(dir, b"", &open).await.unwrap();
    }
    let txn = Txn::new()
        .create(key("jobs/a"), "")
        .create(key("audit/first"), "");
    store.commit(txn).await.unwrap();
    for host in 0..HOSTS {
        let txn = Txn::new().create(key(&format!("hosts/{host}")), vec![b'x'; 300]);
        store.commit(txn).await.unwrap();
        let path = format!("/bare/hosts/{host}");
        bare.create(&path, &[b'x'; 300], &open).await.unwrap();
    }
}

/// A deployment: check the job, write the host, leave a mark. Each host is written a few times per round.
async fn commits(store: &ZooKeeperStore, round: usize) -> Duration {
    let start = Instant::now();
    stream::iter(0..COMMITS)
        .for_each_concurrent(IN_FLIGHT, |n| async move {
            let version = Version::from_raw((round * COMMITS / HOSTS + n / HOSTS) as u64);
            let txn = Txn::new()
                .check(key("jobs/a"), Version::from_raw(0))
                .update(
                    key(&format!("hosts/{}", n % HOSTS)),
                    version,
                    vec![b'y'; 300],
                )
                .create(key(&format!("audit/{round}-{n}")), vec![b'a'; 100]);
            store.commit(txn).await.unwrap();
        })
        .await;
    start.elapsed()
}

/// The same as three operations of the bare client, without deadline, bound or proof of directories.
async fn multis(bare: &Client, round: usize) -> Duration {
    let start = Instant::now();
    stream::iter(0..COMMITS)
        .for_each_concurrent(IN_FLIGHT, |n| async move {
            let open = CreateMode::Persistent.with_acls(Acls::anyone_all());
            let version = i32::try_from(round * COMMITS / HOSTS + n / HOSTS).unwrap();
            let mut multi = bare.new_multi_writer();
            multi.add_check_version("/bare/jobs/a", 0).unwrap();
            let host = format!("/bare/hosts/{}", n % HOSTS);
            multi
                .add_set_data(&host, &[b'y'; 300], Some(version))
                .unwrap();
            let mark = format!("/bare/audit/{round}-{n}");
            multi.add_create(&mark, &[b'a'; 100], &open).unwrap();
            multi.commit().await.unwrap();
        })
        .await;
    start.elapsed()
}

/// One change after the other, each seen by another handle before the next, in 1,000 entries.
async fn watched(ensemble: &Ensemble, round: usize) -> Duration {
    let (writer, reader) = (ensemble.store("store").await, ensemble.store("store").await);
    let mut watch = reader.watch(Scope::Children(key("hosts")));
    watch.next().await.unwrap().unwrap();
    let host = key("hosts/7");
    let mut entry = writer.get(&host).await.unwrap().unwrap();
    let start = Instant::now();
    for n in 0..EVENTS {
        let value = format!("{round}-{n}");
        let txn = Txn::new().update(host.clone(), entry.version, value.clone());
        writer.commit(txn).await.unwrap();
        loop {
            let seen = watch.next().await.unwrap().unwrap();
            entry = seen.get("7").unwrap().clone();
            if entry.value == value {
                break;
            }
        }
    }
    start.elapsed()
}

/// The same by hand: set, wait for the event, read.
async fn events(ensemble: &Ensemble, round: usize) -> Duration {
    let writer = Client::connect(&ensemble.server(0)).await.unwrap();
    let reader = Client::connect(&ensemble.server(0)).await.unwrap();
    let mode = AddWatchMode::PersistentRecursive;
    let mut watch = reader.watch("/bare/hosts", mode).await.unwrap();
    let start = Instant::now();
    for n in 0..EVENTS {
        let value = format!("{round}-{n}");
        let mut multi = writer.new_multi_writer();
        multi
            .add_set_data("/bare/hosts/7", value.as_bytes(), None)
            .unwrap();
        multi.commit().await.unwrap();
        let event = watch.changed().await;
        let (data, _) = reader.get_data(&event.path).await.unwrap();
        assert_eq!(data, value.as_bytes());
    }
    start.elapsed()
}
