//! Faults between a handle and one server: what each of them is, every client of ZooKeeper must
//! survive, and not all do. An upgrade of the client is judged by these.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use helios_core::store::{Scope, Store, StoreErrorKind, TXN_BYTES_MAX, Txn, VALUE_BYTES_MAX};
use helios_store::zookeeper::ZooKeeperStore;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use crate::ensemble::{Ensemble, SESSION, options};
use crate::load::{Load, get, key, list, soon, until_there};
use crate::presence::{Presence, until_absent, until_present};
use crate::proxy::{Link, Proxy};

/// One server, a handle straight to it and one through a proxy.
struct Bench {
    ensemble: Ensemble,
    proxy: Proxy,
    direct: ZooKeeperStore,
    proxied: ZooKeeperStore,
}

impl Bench {
    async fn new() -> Self {
        let ensemble = Ensemble::start(1).await;
        let proxy = Proxy::to(ensemble.server(0)).await;
        let direct = ensemble.store("helios").await;
        let proxied = ZooKeeperStore::connect(options(proxy.address(), "helios"))
            .await
            .unwrap();
        Self {
            ensemble,
            proxy,
            direct,
            proxied,
        }
    }
}

/// A watch through the proxied handle must show what the other handle does.
async fn watch_is_alive(bench: &Bench, watch: &mut Watch, name: &str) {
    let create = || {
        let txn = Txn::new().create(key("seen").child(name).unwrap(), "");
        bench.direct.commit(txn)
    };
    until_there(create).await;
    soon("the watch", async {
        loop {
            let item = watch.next().await.expect("the stream goes on");
            if item.is_ok_and(|snapshot| snapshot.get(name).is_some()) {
                return;
            }
        }
    })
    .await;
}

type Watch = futures_util::stream::BoxStream<
    'static,
    Result<helios_core::store::Snapshot, helios_core::store::StoreError>,
>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_costs_neither_session_nor_watch() {
    let mut bench = Bench::new().await;
    let mut watch = bench.proxied.watch(Scope::Children(key("seen")));
    let mine = Txn::new().create_ephemeral(key("up/a"), "");
    bench.proxied.commit(mine).await.unwrap();
    watch_is_alive(&bench, &mut watch, "before").await;
    bench.ensemble.kill(0);
    let mine = key("up/a");
    let while_down = bench.proxied.get(&mine);
    bench.ensemble.restart(0);
    soon("a call issued while the server is down", while_down)
        .await
        .ok();
    bench.ensemble.until_all_serve().await;
    watch_is_alive(&bench, &mut watch, "after").await;
    assert!(get(&bench.direct, "up/a").await.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_server_is_waited_for_but_not_for_ever() {
    let bench = Bench::new().await;
    let mut watch = bench.proxied.watch(Scope::Children(key("seen")));
    let presence = Presence::keep(bench.proxied.clone(), key("up/a"));
    until_present(&bench.direct, &key("up/a")).await;
    bench.ensemble.freeze(0);
    let txn = Txn::new().create(key("frozen/a"), "");
    let error = soon("a commit", bench.proxied.commit(txn))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Indeterminate, "{error}");
    let error = soon("a read", bench.proxied.get(&key("x")))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    let txn = Txn::new().create(key("frozen/b"), "");
    let error = soon("a commit", bench.proxied.commit(txn))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    sleep(SESSION * 2).await;
    bench.ensemble.thaw(0);
    watch_is_alive(&bench, &mut watch, "after").await;
    until_present(&bench.direct, &key("up/a")).await;
    assert_eq!(get(&bench.proxied, "frozen/b").await, None);
    // Whatever became of the first one, by now it is decided, and every handle sees the same.
    let first = get(&bench.proxied, "frozen/a").await;
    sleep(Duration::from_millis(500)).await;
    assert_eq!(get(&bench.direct, "frozen/a").await, first);
    presence.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stalled_link_ends_the_session_and_the_next_one_takes_over() {
    let bench = Bench::new().await;
    let mut watch = bench.proxied.watch(Scope::Children(key("seen")));
    let presence = Presence::keep(bench.proxied.clone(), key("up/a"));
    until_present(&bench.direct, &key("up/a")).await;
    watch_is_alive(&bench, &mut watch, "before").await;
    bench.proxy.set(Link::Stall);
    until_absent(&bench.direct, &key("up/a")).await;
    let unseen = Txn::new().create(key("seen/unseen"), "");
    bench.direct.commit(unseen).await.unwrap();
    bench.proxy.set(Link::Pass);
    watch_is_alive(&bench, &mut watch, "after").await;
    until_present(&bench.direct, &key("up/a")).await;
    assert!(get(&bench.proxied, "seen/unseen").await.is_some());
    presence.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_refuses_is_not_hammered() {
    let bench = Bench::new().await;
    let presence = Presence::keep(bench.proxied.clone(), key("up/a"));
    until_present(&bench.direct, &key("up/a")).await;
    let before = bench.proxy.connections();
    bench.proxy.set(Link::Refuse);
    let refused = Instant::now();
    until_absent(&bench.direct, &key("up/a")).await;
    sleep(SESSION).await;
    let tries = bench.proxy.connections() - before;
    let limit = 20 + 10 * refused.elapsed().as_secs();
    assert!(tries <= limit, "{tries} connections are too many");
    bench.proxy.set(Link::Pass);
    until_present(&bench.direct, &key("up/a")).await;
    presence.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_in_flight_when_the_link_is_cut_are_told_or_unknown() {
    let bench = Bench::new().await;
    bench
        .proxied
        .commit(Txn::new().create(key("cut/first"), ""))
        .await
        .unwrap();
    for round in 0..10 {
        let commits = (0..200).map(|n| {
            let txn = Txn::new().create(key(&format!("cut/{round}-{n}")), vec![0; 2000]);
            bench.proxied.commit(txn)
        });
        let cut = async {
            sleep(Duration::from_millis(round)).await;
            bench.proxy.cut();
        };
        let (outcomes, ()) = tokio::join!(soon("the writes", join_all(commits)), cut);
        let there = list(&bench.proxied, "cut").await;
        for (n, outcome) in outcomes.into_iter().enumerate() {
            let found = there.get(&format!("{round}-{n}")).is_some();
            match outcome.map_err(|error| error.kind()) {
                Ok(()) => assert!(found, "an acknowledged write is lost"),
                Err(StoreErrorKind::Indeterminate) => {}
                Err(StoreErrorKind::Unavailable) => assert!(!found, "it said: nothing written"),
                Err(other) => panic!("{other:?}"),
            }
        }
        // What was read after an unknown outcome is the final word on it.
        sleep(Duration::from_millis(50)).await;
        assert_eq!(list(&bench.direct, "cut").await, there);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cuts_under_load_lose_and_double_nothing() {
    let bench = Bench::new().await;
    let stores = [bench.proxied.clone(), bench.direct.clone()];
    let load = Load::start("load", &stores, 8).await;
    for _ in 0..20 {
        load.progress(20).await;
        bench.proxy.cut();
    }
    load.audit(&stores).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_large_is_refused_before_it_costs_the_connection() {
    let bench = Bench::new().await;
    let mine = Txn::new().create_ephemeral(key("up/a"), "");
    bench.proxied.commit(mine).await.unwrap();
    let before = bench.proxy.connections();
    let value = Txn::new().create(key("big/a"), vec![0; VALUE_BYTES_MAX + 1]);
    let three = (0..3).fold(Txn::new(), |txn, n| {
        txn.create(key(&format!("big/{n}")), vec![0; TXN_BYTES_MAX / 3])
    });
    // Within the limits of every store, but each path is sent twice and with an access list.
    let long = "x".repeat(250);
    let paths = (0..800).fold(Txn::new(), |txn, n| {
        txn.create(key(&format!("{long}/{long}/{long}/{n}")), vec![0; 100])
    });
    for txn in [value, three, paths] {
        let error = bench.proxied.commit(txn).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::LimitExceeded, "{error}");
    }
    let most = Txn::new()
        .create(key("big/a"), vec![0; VALUE_BYTES_MAX])
        .create(key("big/b"), vec![0; TXN_BYTES_MAX - VALUE_BYTES_MAX - 10]);
    bench.proxied.commit(most).await.unwrap();
    assert_eq!(bench.proxied.list(&key("big")).await.unwrap().len(), 2);
    assert_eq!(bench.proxy.connections(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_link_is_only_slow() {
    let bench = Bench::new().await;
    bench.proxy.set(Link::Delay(Duration::from_millis(100)));
    let mut watch = bench.proxied.watch(Scope::Children(key("seen")));
    for name in ["a", "b", "c"] {
        let txn = Txn::new().create(key("slow").child(name).unwrap(), "");
        bench.proxied.commit(txn).await.unwrap();
        watch_is_alive(&bench, &mut watch, name).await;
    }
    assert_eq!(bench.proxied.list(&key("slow")).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_first_connection_that_fails_says_which_step() {
    let closed = options("127.0.0.1:1", "helios");
    let error = soon("connecting", ZooKeeperStore::connect(closed))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("no TCP connection"), "{error}");

    let nowhere = options("no-such-host.invalid:2181", "helios");
    let error = soon("connecting", ZooKeeperStore::connect(nowhere))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("does not resolve"), "{error}");

    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = silent.local_addr().unwrap().to_string();
    let error = soon(
        "connecting",
        ZooKeeperStore::connect(options(&silent, "helios")),
    )
    .await
    .unwrap_err();
    assert!(error.to_string().contains("no "), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_server_in_the_list_is_passed_over() {
    let ensemble = Ensemble::start(1).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let servers = format!("{},{}", silent.local_addr().unwrap(), ensemble.server(0));
    for _ in 0..3 {
        let store = ZooKeeperStore::connect(options(&servers, "helios"));
        let store = soon("connecting", store).await.unwrap();
        soon("a read", store.get(&key("a"))).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_starts_before_the_servers_lives_on_and_connects_later() {
    let mut ensemble = Ensemble::start(1).await;
    ensemble.kill(0);
    let store = ZooKeeperStore::start(ensemble.options("helios"));
    let mut watch = store.watch(Scope::Children(key("seen")));
    let error = soon("a read", store.get(&key("a"))).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(soon("the watch", watch.next()).await.unwrap().is_err());
    ensemble.restart(0);
    assert_eq!(get(&store, "a").await, None);
    soon("the watch", async {
        while watch.next().await.unwrap().is_err() {}
    })
    .await;
}

/// The client gives up a session by its own clock, but servers that were down have kept it. Asking for
/// it again saves every presence entry of a fleet whose ensemble was restarted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_outlived_an_outage_is_resumed() {
    let mut ensemble = Ensemble::start(1).await;
    let timeout = SESSION * 2;
    let store = ZooKeeperStore::connect(ensemble.options("helios").session_timeout(timeout));
    let store = store.await.unwrap();
    let mine = Txn::new().create_ephemeral(key("up/a"), "");
    store.commit(mine).await.unwrap();
    ensemble.kill(0);
    sleep(timeout * 3 / 2).await;
    ensemble.restart(0);
    ensemble.until_all_serve().await;
    assert!(get(&store, "up/a").await.is_some());
    // If somebody else now held the session, the servers would have ended it by then.
    sleep(timeout * 5 / 4).await;
    assert!(get(&store, "up/a").await.is_some());
}
