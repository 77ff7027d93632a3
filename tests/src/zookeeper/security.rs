//! Who may do what, judged by a real server.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::StreamExt;
use helios_core::Cluster;
use helios_core::schema::{HostRecord, encode};
use helios_core::store::{Scope, Store, StoreErrorKind, Txn};
use helios_store::zookeeper::{Access, Credential, Tls, ZooKeeperOptions, ZooKeeperStore};

use crate::certificates::Certificates;
use crate::ensemble::{Ensemble, options};
use crate::load::{get, key, list, soon};
use crate::proxy::Proxy;

struct Parties {
    masters: Credential,
    agents: Credential,
}

impl Parties {
    fn new() -> Self {
        Self {
            masters: digest("masters", "m-secret"),
            agents: digest("agents", "a-secret"),
        }
    }

    fn master(&self) -> Access {
        Access::master(self.masters.clone(), self.agents.identity())
    }

    fn agent(&self, host: &str) -> Access {
        let own = digest(&format!("agent-{host}"), &format!("{host}-secret"));
        Access::agent(own, self.agents.clone(), self.masters.identity())
    }
}

fn digest(user: &str, password: &str) -> Credential {
    Credential::digest(user, password).unwrap()
}

async fn connect(options: ZooKeeperOptions, access: Access) -> ZooKeeperStore {
    let store = ZooKeeperStore::connect(options.access(access));
    soon("connecting", store).await.unwrap()
}

/// The kind of refusal, or that there was none.
async fn outcome(store: &ZooKeeperStore, txn: Txn) -> Result<(), StoreErrorKind> {
    let commit = soon("a commit", store.commit(txn)).await;
    commit.map_err(|error| error.kind())
}

async fn commit(store: &ZooKeeperStore, txn: Txn) {
    outcome(store, txn).await.unwrap();
}

/// An agent does its own work, and is denied everybody else's.
async fn agent_keeps_to_its_own(
    master: &ZooKeeperStore,
    web1: &ZooKeeperStore,
    web2: &ZooKeeperStore,
) {
    const DENIED: Result<(), StoreErrorKind> = Err(StoreErrorKind::Denied);
    commit(
        master,
        Txn::new()
            .create(key("jobs/web:1"), "{}")
            .create(key("hosts/web1"), "goals"),
    )
    .await;
    for (agent, host) in [(web1, "web1"), (web2, "web2")] {
        let status = key("status").child(host).unwrap();
        let up = key("up").child(host).unwrap();
        commit(agent, Txn::new().create(status.clone(), "starting")).await;
        commit(agent, Txn::new().create_ephemeral(up, "here")).await;
        let entry = agent.get(&status).await.unwrap().unwrap();
        commit(agent, Txn::new().update(status, entry.version, "running")).await;
    }
    assert_eq!(list(web2, "jobs").await.len(), 1);
    let goals = get(web2, "hosts/web1").await.unwrap();
    let status = get(web2, "status/web1").await.unwrap();
    let up = get(web2, "up/web1").await.unwrap();
    for txn in [
        Txn::new().update(key("status/web1"), status.version, "forged"),
        Txn::new().delete(key("status/web1"), status.version),
        Txn::new().update(key("up/web1"), up.version, "forged"),
        Txn::new().delete(key("up/web1"), up.version),
        Txn::new().update(key("hosts/web1"), goals.version, "forged"),
        Txn::new().delete(key("hosts/web1"), goals.version),
        Txn::new().create(key("hosts/web2"), "forged"),
        Txn::new().create(key("jobs/forged"), ""),
        Txn::new().create(key("elsewhere/forged"), ""),
    ] {
        assert_eq!(outcome(web2, txn.clone()).await, DENIED, "{txn:?}");
    }
    // A check of what it may only read, and a write of its own, in one transaction.
    let own = get(web1, "status/web1").await.unwrap();
    let txn = Txn::new().check(key("hosts/web1"), goals.version).update(
        key("status/web1"),
        own.version,
        "as told",
    );
    commit(web1, txn).await;
    // A master may tidy up after anybody.
    let status = get(master, "status/web2").await.unwrap();
    commit(
        master,
        Txn::new().delete(key("status/web2"), status.version),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_writes_what_is_not_his() {
    let ensemble = Ensemble::start(1).await;
    let parties = Parties::new();
    let master = connect(ensemble.options("helios"), parties.master()).await;
    let report = master.init_acl().await.unwrap();
    assert_eq!(report.nodes, 4, "the top and the three shared directories");
    let proxy = Proxy::to(ensemble.server(0)).await;
    let web1 = connect(options(proxy.address(), "helios"), parties.agent("web1")).await;
    let web2 = connect(ensemble.options("helios"), parties.agent("web2")).await;
    agent_keeps_to_its_own(&master, &web1, &web2).await;

    // The credentials hold on the next connection too.
    proxy.cut();
    let own = get(&web1, "status/web1").await.unwrap();
    let txn = Txn::new().update(key("status/web1"), own.version, "again");
    commit(&web1, txn).await;

    assert_eq!(master.world_writable().await.unwrap(), [""; 0]);
    let report = master.init_acl().await.unwrap();
    assert_eq!((report.rewritten, report.removed.len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_see_nothing_and_are_told_so() {
    let ensemble = Ensemble::start(1).await;
    let parties = Parties::new();
    let master = connect(ensemble.options("helios"), parties.master()).await;
    master.init_acl().await.unwrap();
    commit(&master, Txn::new().create(key("jobs/a"), "secret")).await;
    let liar = Access::agent(
        digest("agent-web1", "guess"),
        digest("agents", "guess"),
        parties.masters.identity(),
    );
    for access in [Access::open(), liar] {
        let stranger = connect(ensemble.options("helios"), access).await;
        let error = stranger.get(&key("jobs/a")).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Denied);
        let error = stranger.list(&key("jobs")).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Denied);
        let create = Txn::new().create(key("jobs/b"), "");
        assert_eq!(
            outcome(&stranger, create).await,
            Err(StoreErrorKind::Denied)
        );
        let mut watch = stranger.watch(Scope::Children(key("jobs")));
        let item = soon("the watch", watch.next()).await.unwrap();
        assert_eq!(item.unwrap_err().kind(), StoreErrorKind::Denied);
    }
    let elsewhere = ensemble.options("helios/deeper").access(Access::open());
    let error = ZooKeeperStore::connect(elsewhere).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Denied, "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_store_is_closed_by_one_command() {
    let ensemble = Ensemble::start(1).await;
    let open = ensemble.store("helios").await;
    let before = Txn::new()
        .create(key("jobs/a"), "")
        .create(key("hosts/web1"), "")
        .create(key("status/web1"), "old")
        .create(key("history/web:1/web1"), "old");
    commit(&open, before).await;
    assert_eq!(open.world_writable().await.unwrap().len(), 10);
    let error = open.init_acl().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Invalid);

    let parties = Parties::new();
    let master = connect(ensemble.options("helios"), parties.master()).await;
    let report = master.init_acl().await.unwrap();
    let removed: BTreeSet<_> = report.removed.into_iter().collect();
    let of_agents = ["history/web:1/web1", "status/web1"].map(key);
    assert_eq!(removed, BTreeSet::from(of_agents), "what agents wrote");
    assert_eq!(master.world_writable().await.unwrap(), [""; 0]);
    let hosts = get(&master, "hosts/web1").await;
    assert!(hosts.is_some(), "what masters wrote stays");
    let error = open.get(&key("jobs/a")).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Denied);
    let web1 = connect(ensemble.options("helios"), parties.agent("web1")).await;
    commit(&web1, Txn::new().create(key("status/web1"), "new")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_agent_with_a_wrong_access_list_does_not_hide_the_others() {
    let ensemble = Ensemble::start(1).await;
    let parties = Parties::new();
    let master = connect(ensemble.options("helios"), parties.master()).await;
    master.init_acl().await.unwrap();
    let strangers = digest("masters", "of another fleet").identity();
    let lost = Access::agent(digest("agent-web2", "x"), parties.agents.clone(), strangers);
    let web1 = connect(ensemble.options("helios"), parties.agent("web1")).await;
    let web2 = connect(ensemble.options("helios"), lost).await;
    let mut watch = master.watch(Scope::Children(key("status")));
    commit(&web1, Txn::new().create(key("status/web1"), "fine")).await;
    commit(&web2, Txn::new().create(key("status/web2"), "unseen")).await;

    let status = master.list(&key("status")).await.unwrap();
    assert_eq!(status.get("web1").unwrap().value, "fine");
    let hidden = status.get("web2").unwrap();
    assert_ne!(hidden.value, "unseen");
    soon("the watch shows both", async {
        while let Some(seen) = watch.next().await {
            if seen.unwrap().get("web2").is_some() {
                break;
            }
        }
    })
    .await;
    // Who owns the directory can still clear it away, and the host with it.
    let goals = HostRecord::new("agent-of-web2", "first");
    commit(
        &master,
        Txn::new().create(key("hosts/web2"), encode(&goals)),
    )
    .await;
    let cluster = Cluster::on(Arc::new(master.clone())).unwrap();
    let host = "web2".parse().unwrap();
    let seen = cluster.host(&host).await.unwrap().expect("a host");
    let problems: Vec<String> = seen.problems(&host).collect();
    assert!(
        seen.report.is_none() && problems.concat().contains("status/web2 cannot be read"),
        "{problems:?}"
    );
    let fleet = cluster.fleet().await.unwrap();
    let glanced = fleet.host(&host).expect("a host").unread;
    assert!(glanced.iter().flatten().count() == 1, "{glanced:?}");
    cluster.deregister_host(&host).await.unwrap();
    let status = list(&master, "status").await;
    assert!(status.get("web1").is_some() && status.len() == 1);
    assert!(list(&master, "hosts").await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_identities_like_any_other() {
    let certificates = Certificates::new();
    let ensemble = Ensemble::start_with(1, &certificates.server_config()).await;
    let secure = || options(&ensemble.secure_server(0), "helios");
    let masters = Credential::certificate("CN=master");
    let agents = digest("agents", "a-secret");
    let agent = |host: &str| {
        let own = Credential::certificate(format!("CN={host}"));
        Access::agent(own, agents.clone(), masters.identity())
    };
    let master = Access::master(masters.clone(), agents.identity());
    let master = connect(secure().tls(certificates.of("master")), master).await;
    master.init_acl().await.unwrap();
    let web1 = connect(secure().tls(certificates.of("web1")), agent("web1")).await;
    let web2 = connect(secure().tls(certificates.of("web2")), agent("web2")).await;
    agent_keeps_to_its_own(&master, &web1, &web2).await;
    assert_eq!(master.world_writable().await.unwrap(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_or_client_that_is_not_trusted_gets_no_session() {
    let certificates = Certificates::new();
    let ensemble = Ensemble::start_with(1, &certificates.server_config()).await;
    let secure = || options(&ensemble.secure_server(0), "helios");
    let others = Certificates::new();
    let nameless = Tls::trusting(&certificates.read("ca.pem")).unwrap();
    for tls in [others.of("master"), nameless] {
        let store = ZooKeeperStore::connect(secure().tls(tls));
        let error = soon("connecting", store).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(error.to_string().contains("TLS"), "{error}");
    }
    assert!(Tls::trusting("no certificate").is_err());
    let half = Tls::trusting(&certificates.read("ca.pem")).unwrap();
    assert!(
        half.presenting(&certificates.read("web1.pem"), "no key")
            .is_err()
    );
}
