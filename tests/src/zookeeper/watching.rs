//! What a watch costs, and what it survives.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use helios_core::store::{Scope, Snapshot, Store, StoreError, StoreErrorKind, Txn};
use helios_store::zookeeper::ZooKeeperStore;
use tokio::time::sleep;

use crate::ensemble::{Ensemble, options};
use crate::load::{get, key, list, soon};
use crate::proxy::Proxy;

type Watch = BoxStream<'static, Result<Snapshot, StoreError>>;

const ENTRIES: usize = 10_000;

async fn fill(store: &ZooKeeperStore, dir: &str) {
    for batch in 0..ENTRIES / 500 {
        let txn = (0..500).fold(Txn::new(), |txn, n| {
            txn.create(
                key(&format!("{dir}/h{:05}", batch * 500 + n)),
                vec![b'x'; 200],
            )
        });
        store.commit(txn).await.unwrap();
    }
}

async fn update(store: &ZooKeeperStore, at: &str, value: &str) {
    let entry = get(store, at).await.unwrap();
    let txn = Txn::new().update(key(at), entry.version, value.to_owned());
    store.commit(txn).await.unwrap();
}

async fn until_seen(watch: &mut Watch, name: &str, value: &str) -> Snapshot {
    soon("the watch", async {
        loop {
            if let Ok(seen) = watch.next().await.unwrap()
                && seen.get(name).is_some_and(|entry| entry.value == value)
            {
                return seen;
            }
        }
    })
    .await
}

/// How many packets the server has had, from all its clients.
async fn received(ensemble: &Ensemble) -> u64 {
    let answer = soon("srvr", async {
        loop {
            if let Some(answer) = ensemble.ask(0, "srvr").await {
                return answer;
            }
        }
    })
    .await;
    let count = answer
        .lines()
        .find_map(|line| line.strip_prefix("Received: "));
    count.unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_among_ten_thousand_costs_reads_of_what_changed() {
    let ensemble = Ensemble::start(1).await;
    let writer = ensemble.store("helios").await;
    fill(&writer, "hosts").await;
    let reader = ensemble.store("helios").await;
    let mut watch = reader.watch(Scope::Children(key("hosts")));
    let all = soon("the watch", watch.next()).await.unwrap().unwrap();
    assert_eq!(all.len(), ENTRIES);
    assert_eq!(list(&reader, "hosts").await, all);

    let before = received(&ensemble).await;
    let mut last = all;
    for n in 0..100 {
        let (name, value) = (format!("h{:05}", n * 97), format!("value {n}"));
        update(&writer, &format!("hosts/{name}"), &value).await;
        let seen = until_seen(&mut watch, &name, &value).await;
        assert_eq!(seen.changes_since(&last).count(), 1);
        last = seen;
    }
    // A read and a commit of the writer, at most two reads of the watch, and pings.
    let packets = received(&ensemble).await - before;
    assert!(
        packets < 100 * 5,
        "{packets} packets for 100 changes of {ENTRIES} entries"
    );

    // Another watcher of the same handle shares the picture; it costs a packet or two, not a listing.
    let before = received(&ensemble).await;
    let mut second = reader.watch(Scope::Children(key("hosts")));
    let seen = soon("the watch", second.next()).await.unwrap().unwrap();
    assert_eq!(seen.changes_since(&last).count(), 0);
    assert!(received(&ensemble).await - before < 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_while_the_link_is_cut_is_seen_afterwards() {
    let ensemble = Ensemble::start(1).await;
    let writer = ensemble.store("helios").await;
    let proxy = Proxy::to(ensemble.server(0)).await;
    let reader = ZooKeeperStore::connect(options(proxy.address(), "helios"))
        .await
        .unwrap();
    writer
        .commit(
            Txn::new()
                .create(key("hosts/a"), "0")
                .create(key("hosts/b"), ""),
        )
        .await
        .unwrap();
    let mut children = reader.watch(Scope::Children(key("hosts")));
    let mut entry = reader.watch(Scope::Entry(key("hosts/a")));
    until_seen(&mut children, "a", "0").await;
    until_seen(&mut entry, "a", "0").await;
    for round in 1..=20 {
        proxy.cut();
        let value = round.to_string();
        update(&writer, "hosts/a", &value).await;
        until_seen(&mut children, "a", &value).await;
        let seen = until_seen(&mut entry, "a", &value).await;
        assert_eq!(seen.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_present_comes_first_also_for_those_who_join() {
    let ensemble = Ensemble::start(3).await;
    let store = ensemble.store("helios").await;
    let mut held = Vec::new();
    for n in 0..200 {
        let txn = Txn::new().create(key(&format!("hosts/{n}")), "");
        store.commit(txn).await.unwrap();
        let mut watch = store.watch(Scope::Children(key("hosts")));
        let first = soon("the watch", watch.next()).await.unwrap().unwrap();
        assert_eq!(first.len(), n + 1, "an acknowledged commit is missing");
        if n % 3 == 0 {
            held.push(watch);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_that_is_dropped_leaves_nothing_at_the_server() {
    let ensemble = Ensemble::start(1).await;
    let store = ensemble.store("helios").await;
    for round in 0..10 {
        let mut watch = store.watch(Scope::Children(key("hosts")));
        let first = soon("the watch", watch.next()).await.unwrap().unwrap();
        assert_eq!(first.len(), round);
        drop(watch);
        let txn = Txn::new().create(key(&format!("hosts/{round}")), "");
        store.commit(txn).await.unwrap();
    }
    soon("the server's watches", async {
        loop {
            let answer = ensemble.ask(0, "wchs").await.unwrap_or_default();
            if answer.contains("Total watches:0") {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watched_paths_are_bounded_and_a_reconnect_carries_all_of_them() {
    let ensemble = Ensemble::start(1).await;
    let proxy = Proxy::to(ensemble.server(0)).await;
    let writer = ensemble.store("helios").await;
    let store = ZooKeeperStore::connect(options(proxy.address(), "helios"))
        .await
        .unwrap();
    let long = "x".repeat(240);
    let mut watches = Vec::new();
    let refused = loop {
        let at = format!("hosts/{}-{long}", watches.len());
        let mut watch = store.watch(Scope::Entry(key(&at)));
        match soon("the watch", watch.next()).await.unwrap() {
            Ok(_) => watches.push((at, watch)),
            Err(error) => break error,
        }
    };
    assert_eq!(refused.kind(), StoreErrorKind::LimitExceeded);
    assert!(watches.len() > 300);
    proxy.cut();
    for (at, watch) in watches.iter_mut().step_by(40) {
        let create = Txn::new().create(key(at), "new");
        writer.commit(create).await.unwrap();
        until_seen(watch, key(at).name(), "new").await;
    }
    drop(watches);
    // What is no longer watched makes room.
    soon("room for another watch", async {
        loop {
            let mut watch = store.watch(Scope::Entry(key("hosts/another")));
            if watch.next().await.unwrap().is_ok() {
                return;
            }
        }
    })
    .await;
}

/// A directory is made with its first entry and taken away by the servers after the last. Neither may
/// confuse a watch or a commit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn directories_come_and_go_unnoticed() {
    let ensemble = Ensemble::start(1).await;
    let store = ensemble.store("helios").await;
    let mut watch = store.watch(Scope::Children(key("a/b")));
    for round in 0..4 {
        let txn = Txn::new().create(key("a/b/c"), round.to_string());
        store.commit(txn).await.unwrap();
        until_seen(&mut watch, "c", &round.to_string()).await;
        let entry = get(&store, "a/b/c").await.unwrap();
        let txn = Txn::new().delete(key("a/b/c"), entry.version);
        store.commit(txn).await.unwrap();
        // The servers of these tests look for empty directories each second.
        sleep(Duration::from_millis(1200)).await;
    }
}

/// A second line of defence that is never needed cannot be seen to work, so this looks at a picture
/// that events cannot keep true: a resync after each of them changes nothing and costs no data.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resync_agrees_with_what_events_have_told() {
    let ensemble = Ensemble::start(1).await;
    let writer = ensemble.store("helios").await;
    let often = ensemble.options("helios").resync(Duration::from_millis(20));
    let reader = ZooKeeperStore::connect(often).await.unwrap();
    let mut watch = reader.watch(Scope::Children(key("hosts")));
    for n in 0..50 {
        let at = format!("hosts/{}", n % 7);
        let value = n.to_string();
        match get(&writer, &at).await {
            None => {
                let txn = Txn::new().create(key(&at), value.clone());
                writer.commit(txn).await.unwrap();
            }
            Some(_) => update(&writer, &at, &value).await,
        }
        let seen = until_seen(&mut watch, &(n % 7).to_string(), &value).await;
        assert_eq!(seen, list(&writer, "hosts").await);
        sleep(Duration::from_millis(10)).await;
    }
}
