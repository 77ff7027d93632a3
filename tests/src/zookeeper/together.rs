//! Transactions that go to the servers together: each is answered for itself, and costs them less.

use futures_util::FutureExt;
use futures_util::future::join_all;
use helios_core::store::{Store, StoreErrorKind, Txn, Version};
use helios_store::zookeeper::ZooKeeperStore;

use crate::ensemble::{Ensemble, options};
use crate::load::{key, list, soon};
use crate::proxy::{Link, Proxy};

/// How many come at the same time.
const CROWD: usize = 96;

/// One server behind a proxy that lets nothing through, so that what is sent piles up; and a handle straight to it.
async fn stalled() -> (Ensemble, Proxy, ZooKeeperStore, ZooKeeperStore) {
    let ensemble = Ensemble::start(1).await;
    let direct = ensemble.store("helios").await;
    let first = Txn::new()
        .create(key("hosts/a"), "")
        .create(key("marks/first"), "");
    direct.commit(first).await.unwrap();
    let proxy = Proxy::to(ensemble.server(0)).await;
    let store = ZooKeeperStore::connect(options(proxy.address(), "helios"));
    let store = store.await.unwrap();
    // The barrier of a new session is out of the way.
    store.get(&key("hosts/a")).await.unwrap();
    proxy.set(Link::Stall);
    (ensemble, proxy, direct, store)
}

/// How many transactions the server has carried out.
async fn transactions(ensemble: &Ensemble) -> u64 {
    let answer = ensemble.ask(0, "srvr").await.unwrap();
    let line = answer
        .lines()
        .find_map(|line| line.strip_prefix("Zxid: 0x"));
    u64::from_str_radix(line.unwrap(), 16).unwrap()
}

fn mark(number: usize) -> Txn {
    Txn::new().create(key(&format!("marks/{number}")), "")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_costs_the_servers_a_few_transactions() {
    let (ensemble, proxy, direct, store) = stalled().await;
    let before = transactions(&ensemble).await;
    let mut crowd = Box::pin(join_all(
        (0..CROWD).map(|number| store.commit(mark(number))),
    ));
    assert!(crowd.as_mut().now_or_never().is_none());
    proxy.set(Link::Pass);
    for outcome in soon("the crowd", crowd).await {
        outcome.unwrap();
    }
    assert_eq!(list(&direct, "marks").await.len(), CROWD + 1);
    let cost = transactions(&ensemble).await - before;
    assert!(cost < CROWD as u64 / 2, "{cost} transactions");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_refused_for_what_another_asked() {
    let (_ensemble, proxy, direct, store) = stalled().await;
    let crowd = (0..CROWD).map(|number| {
        let txn = match number % 8 {
            // The entry never had that version.
            1 => mark(number).update(key("hosts/a"), Version::from_raw(9), "late"),
            // It cannot lie below an entry.
            2 => mark(number).create(key("hosts/a/b"), ""),
            _ => mark(number),
        };
        store.commit(txn)
    });
    let mut crowd = Box::pin(join_all(crowd));
    assert!(crowd.as_mut().now_or_never().is_none());
    proxy.set(Link::Pass);
    let outcomes = soon("the crowd", crowd).await;
    let marks = list(&direct, "marks").await;
    for (number, outcome) in outcomes.into_iter().enumerate() {
        let kind = outcome.map_err(|error| error.kind());
        let expected = match number % 8 {
            1 => Err(StoreErrorKind::Conflict),
            2 => Err(StoreErrorKind::Invalid),
            _ => Ok(()),
        };
        assert_eq!(kind, expected, "{number}");
        let is_there = marks.get(&number.to_string()).is_some();
        assert_eq!(is_there, expected.is_ok(), "{number}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_gives_up_takes_nobody_along() {
    let (_ensemble, proxy, direct, store) = stalled().await;
    let commits = (0..CROWD).map(|number| {
        let (store, txn) = (store.clone(), mark(number));
        tokio::spawn(async move { store.commit(txn).await })
    });
    let commits: Vec<_> = commits.collect();
    let waiting = |commit: &tokio::task::JoinHandle<_>| !commit.is_finished();
    assert!(commits.iter().all(waiting));
    for commit in commits.iter().step_by(2) {
        commit.abort();
    }
    proxy.set(Link::Pass);
    for (number, commit) in commits.into_iter().enumerate() {
        let ended = soon("the commit", commit).await;
        assert!(
            ended.map_or(number % 2 == 0, |outcome| outcome.is_ok()),
            "{number}"
        );
    }
    // What was given up was sent or not; a later read through the same handle is the final word.
    let final_word = store.list(&key("marks")).await.unwrap();
    let again = list(&direct, "marks").await;
    assert!(final_word.iter().eq(again.iter()));
    for number in (1..CROWD).step_by(2) {
        assert!(again.get(&number.to_string()).is_some(), "{number}");
    }
}
