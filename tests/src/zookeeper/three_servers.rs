//! Faults of an ensemble under load. After each: every acknowledged write is there once, watches live,
//! presence is right, and nothing hangs.

use std::time::Duration;

use helios_core::store::{Scope, Store, StoreErrorKind, Txn};
use helios_store::zookeeper::ZooKeeperStore;
use tokio::time::sleep;

use crate::ensemble::{Ensemble, SESSION, options};
use crate::load::{Load, get, key, list, soon};
use crate::presence::{Presence, until_absent, until_present};
use crate::proxy::{Link, Proxy};

/// How many servers are killed in one run; `HELIOS_KILLS` sets another number.
const KILLS: usize = 20;

/// Two handles on all three servers, under load, one with a presence entry to look after.
struct Field {
    ensemble: Ensemble,
    stores: [ZooKeeperStore; 2],
    load: Load,
    presence: Presence,
}

impl Field {
    async fn new() -> Self {
        let ensemble = Ensemble::start(3).await;
        let stores = [
            ensemble.store("helios").await,
            ensemble.store("helios").await,
        ];
        let load = Load::start("load", &stores, 4).await;
        let presence = Presence::keep(stores[0].clone(), key("up/a"));
        until_present(&stores[1], &key("up/a")).await;
        Self {
            ensemble,
            stores,
            load,
            presence,
        }
    }

    /// Everything is as it must be, also for somebody who comes only now.
    async fn audit(self) {
        self.load.progress(50).await;
        let writes = self.load.audit(&self.stores).await;
        assert!(writes > 50);
        until_present(&self.stores[1], &key("up/a")).await;
        let newcomer = self.ensemble.store("helios").await;
        let marks = list(&newcomer, "load/marks").await;
        assert_eq!(marks.len(), writes);
        self.presence.end();
        let [owner, other] = self.stores;
        soon("closing", owner.close()).await;
        until_absent(&other, &key("up/a")).await;
    }

    async fn leader(&self) -> usize {
        soon("an election", async {
            loop {
                if let Some(leader) = self.ensemble.leader().await {
                    return leader;
                }
                sleep(Duration::from_millis(50)).await;
            }
        })
        .await
    }
}

fn kills() -> usize {
    match std::env::var("HELIOS_KILLS") {
        Ok(kills) => kills.parse().expect("HELIOS_KILLS is a number"),
        Err(_) => KILLS,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_leaders_and_followers_lose_and_double_nothing() {
    let mut field = Field::new().await;
    for kill in 0..kills() {
        let leader = field.leader().await;
        // Every other time the leader, else each of the others in turn.
        let victim = if kill % 2 == 0 {
            leader
        } else {
            (leader + 1 + kill / 2 % 2) % 3
        };
        field.load.progress(20).await;
        field.ensemble.kill(victim);
        field.load.progress(20).await;
        field.ensemble.restart(victim);
        field.ensemble.until_all_serve().await;
    }
    field.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_server_frozen_for_longer_than_a_session() {
    let field = Field::new().await;
    for server in 0..3 {
        field.ensemble.freeze(server);
        sleep(SESSION + SESSION / 2).await;
        field.load.progress(20).await;
        field.ensemble.thaw(server);
        field.ensemble.until_all_serve().await;
    }
    field.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_servers_down_for_longer_than_a_session() {
    let mut field = Field::new().await;
    field.load.progress(20).await;
    for server in 0..3 {
        field.ensemble.kill(server);
    }
    sleep(SESSION * 2).await;
    for server in 0..3 {
        field.ensemble.restart(server);
    }
    field.ensemble.until_all_serve().await;
    field.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_server_loses_its_disk() {
    let mut field = Field::new().await;
    field.load.progress(20).await;
    let leader = field.leader().await;
    for victim in [(leader + 1) % 3, leader] {
        field.ensemble.kill(victim);
        field.load.progress(20).await;
        field.ensemble.wipe(victim);
        field.ensemble.restart(victim);
        field.ensemble.until_all_serve().await;
    }
    field.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart() {
    let mut field = Field::new().await;
    for server in 0..3 {
        field.ensemble.kill(server);
        field.ensemble.restart(server);
        field.ensemble.until_all_serve().await;
        field.load.progress(20).await;
    }
    field.audit().await;
}

/// All servers lose everything: the store cannot bring it back, but it must say so, work on, and not
/// hang. What a caller makes of an emptied store is decided above.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_ensemble_is_seen_as_empty() {
    use futures_util::StreamExt;

    let mut ensemble = Ensemble::start(3).await;
    let store = ensemble.store("helios").await;
    store
        .commit(Txn::new().create(key("jobs/a"), ""))
        .await
        .unwrap();
    let mut watch = store.watch(Scope::Children(key("jobs")));
    assert_eq!(watch.next().await.unwrap().unwrap().len(), 1);
    for server in 0..3 {
        ensemble.kill(server);
        ensemble.wipe(server);
    }
    for server in 0..3 {
        ensemble.restart(server);
    }
    ensemble.until_all_serve().await;
    assert_eq!(get(&store, "jobs/a").await, None);
    soon("the watch", async {
        while !watch
            .next()
            .await
            .unwrap()
            .is_ok_and(|seen| seen.is_empty())
        {}
    })
    .await;
    let again = Txn::new().create(key("jobs/b"), "");
    store.commit(again).await.unwrap();
    soon("the watch", async {
        while !watch
            .next()
            .await
            .unwrap()
            .is_ok_and(|seen| seen.len() == 1)
        {}
    })
    .await;
}

/// The session ends while a transaction is under way: its fate is unknown, and the first read in the
/// next session knows it for good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_ends_in_the_middle_of_a_transaction() {
    let ensemble = Ensemble::start(3).await;
    let proxy = Proxy::to(ensemble.server(0)).await;
    let direct = ensemble.store("helios").await;
    let store = ZooKeeperStore::connect(options(proxy.address(), "helios"))
        .await
        .unwrap();
    let first = Txn::new().create(key("marks/first"), "");
    store.commit(first).await.unwrap();
    for round in 0..3 {
        let mine = Txn::new().create_ephemeral(key(&format!("up/{round}")), "");
        store.commit(mine).await.unwrap();
        let mark = format!("marks/{round}");
        let txn = Txn::new().create(key(&mark), "");
        // A small pause sometimes lets the request through and holds the answer.
        proxy.set(Link::Delay(Duration::from_millis(round * 20)));
        let commit = tokio::spawn({
            let store = store.clone();
            async move { store.commit(txn).await }
        });
        sleep(Duration::from_millis(10 + round * 20)).await;
        proxy.set(Link::Stall);
        until_absent(&direct, &key(&format!("up/{round}"))).await;
        let outcome = soon("the commit", commit).await.unwrap();
        proxy.set(Link::Pass);
        let there = get(&store, &mark).await.is_some();
        match outcome.map_err(|error| error.kind()) {
            Ok(()) => assert!(there),
            Err(StoreErrorKind::Indeterminate) => {}
            Err(StoreErrorKind::Unavailable) => assert!(!there, "it said: nothing written"),
            Err(other) => panic!("{other:?}"),
        }
        sleep(Duration::from_millis(200)).await;
        assert_eq!(get(&direct, &mark).await.is_some(), there);
    }
}

/// The connection is lost while a commit waits for its quorum, and the next server learns of the outcome
/// only later. What is read there is the final word all the same, because the read waits for that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_outcome_is_decided_before_it_is_read() {
    let mut ensemble = Ensemble::start_with_detours(3).await;
    let leader = soon("an election", async {
        loop {
            if let Some(leader) = ensemble.leader().await {
                return leader;
            }
        }
    })
    .await;
    assert_ne!(leader, 0);
    // Now the leader needs the first server for every commit.
    ensemble.kill(3 - leader);
    let front = Proxy::to(ensemble.server(leader)).await;
    // A server that is silent for a fifth of the timeout is left; the lag must be less.
    let options = |server: &str| options(server, "helios").session_timeout(SESSION * 3);
    let direct = ZooKeeperStore::connect(options(&ensemble.server(leader)));
    let direct = direct.await.unwrap();
    let first = Txn::new().create(key("marks/first"), "");
    direct.commit(first).await.unwrap();
    for round in 0..4 {
        let store = ZooKeeperStore::connect(options(front.address()));
        let store = store.await.unwrap();
        ensemble.detour(Link::Lag(Duration::from_millis(300)));
        front.set(Link::Mute);
        let mark = format!("marks/{round}");
        let commit = tokio::spawn({
            let (store, mark) = (store.clone(), key(&mark));
            async move { store.commit(Txn::new().create(mark, "")).await }
        });
        sleep(Duration::from_millis(50)).await;
        front.lead_to(ensemble.server(0));
        front.cut();
        front.set(Link::Pass);
        let error = soon("the commit", commit).await.unwrap().unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Indeterminate);
        let told = get(&store, &mark).await.is_some();
        ensemble.detour(Link::Pass);
        let later = Txn::new().create(key(&format!("later/{round}")), "");
        direct.commit(later).await.unwrap();
        assert_eq!(get(&direct, &mark).await.is_some(), told);
        front.lead_to(ensemble.server(leader));
    }
}
