//! What masters are asked, on a store where all goes well.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{join_all, select, try_join_all};
use helios_core::cluster::ClusterError;
use helios_core::ops::{CreateJob, Deploy, Refused, RegisterHost, RemoveJob, SetGoal, Undeploy};
use helios_core::schema::{HostReport, Keys, OperationIds, encode};
use helios_core::store::{Key, StoreError, StoreErrorKind, Txn};
use helios_core::{Clock, Cluster, Goal, HostName, Job, JobId, Store};
use helios_store::MemoryStore;
use helios_testkit::store::MockStore;

use crate::stopped_clock::StoppedClock;

fn cluster(tree: &MemoryStore, incarnation: &str) -> Cluster {
    let ids = OperationIds::new(incarnation).unwrap();
    Cluster::new(Arc::new(tree.session()), Arc::new(StoppedClock), ids)
}

fn host(name: &str) -> HostName {
    name.parse().unwrap()
}

async fn create(cluster: &Cluster, id: &str) -> JobId {
    let job = Job::new(id, "nginx").unwrap();
    cluster.create_job(&CreateJob::new(job)).await.unwrap()
}

async fn register(cluster: &Cluster, name: &str) -> HostName {
    let host = host(name);
    let request = RegisterHost {
        host: host.clone(),
        agent_id: format!("agent-{name}"),
    };
    cluster.register_host(&request).await.unwrap();
    host
}

#[tokio::test]
async fn a_job_goes_to_a_host_and_from_it_again() {
    let cluster = cluster(&MemoryStore::new(), "m1");
    let web = register(&cluster, "web1").await;
    let job = create(&cluster, "web:1").await;
    let deploy = Deploy::new(web.clone(), job.clone(), Goal::Start);
    cluster.deploy(&deploy).await.unwrap();
    let stop = SetGoal::new(web.clone(), job.clone(), Goal::Stop);
    cluster.set_goal(&stop).await.unwrap();
    let view = cluster.host(&web).await.unwrap().unwrap();
    assert_eq!(view.record.goals[&job].goal, Goal::Stop);
    let refused = cluster
        .remove_job(&RemoveJob::new(job.clone()))
        .await
        .unwrap_err();
    let still = Refused::StillInUse {
        job: job.clone(),
        hosts: vec![web.clone()],
    };
    assert_eq!(refused.refused(), Some(&still));
    cluster
        .undeploy(&Undeploy::new(web, job.clone()))
        .await
        .unwrap();
    cluster.remove_job(&RemoveJob::new(job)).await.unwrap();
    assert!(cluster.jobs().await.unwrap().is_empty());
    create(&cluster, "web:1").await;
}

#[tokio::test]
async fn what_fits_no_key_does_not_exist() {
    let cluster = cluster(&MemoryStore::new(), "m1");
    let id: JobId = "../hosts:x/..:1".parse().unwrap();
    assert_eq!(cluster.job(&id).await.unwrap(), None);
    let request = Deploy::new(host("web1"), id.clone(), Goal::Start);
    let refused = cluster.deploy(&request).await.unwrap_err();
    assert_eq!(refused.refused(), Some(&Refused::JobNotFound { job: id }));
    let error = cluster
        .announce_master("../up", ready(()))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Invalid);
}

#[tokio::test]
async fn a_cluster_gets_one_id_for_ever() {
    let tree = MemoryStore::new();
    let (one, other) = (cluster(&tree, "m1"), cluster(&tree, "m2"));
    assert_eq!(one.id().await.unwrap(), None);
    let id = one.init().await.unwrap();
    assert_eq!(other.init().await.unwrap(), id);
    assert_eq!(other.id().await.unwrap(), Some(id));
}

#[tokio::test]
async fn fifty_deployments_to_one_host_all_get_their_turn() {
    let tree = MemoryStore::new();
    let masters = [cluster(&tree, "m1"), cluster(&tree, "m2")];
    let web = register(&masters[0], "web1").await;
    let ids = (0..50).map(|i| format!("web:{i}"));
    let jobs: Vec<JobId> = join_all(ids.map(|id| {
        let master = masters[0].clone();
        async move { create(&master, &id).await }
    }))
    .await;
    let deploys: Vec<_> = jobs
        .into_iter()
        .map(|job| Deploy::new(web.clone(), job, Goal::Start))
        .collect();
    let masters = masters.iter().cycle();
    try_join_all(
        deploys
            .iter()
            .zip(masters)
            .map(|(deploy, master)| master.deploy(deploy)),
    )
    .await
    .unwrap();
    let view = cluster(&tree, "m3").host(&web).await.unwrap().unwrap();
    assert_eq!((view.record.goals.len(), view.record.revision), (50, 51));
}

#[tokio::test]
async fn changes_are_recorded_on_behalf_of_whoever_asked() {
    let tree = MemoryStore::new();
    let cluster = cluster(&tree, "m1");
    let ann = cluster.on_behalf_of("ann");
    assert_eq!((ann.principal(), ann.now()), ("ann", StoppedClock.now()));
    let web = register(&ann, "web1").await;
    cluster.deregister_host(&web).await.unwrap();
    let entries = tree
        .list(&Keys::audit_of(StoppedClock.now()))
        .await
        .unwrap();
    let records = entries.iter().map(|(_, entry)| entry.value.clone());
    let text = |value| String::from_utf8(Vec::from(value)).unwrap();
    let records: Vec<_> = records.map(text).collect();
    assert_eq!(records.len(), 2, "{records:?}");
    assert!(
        records[0].contains(r#""principal":"ann","action":"register host""#),
        "{records:?}"
    );
    assert!(records[1].contains(r#""principal":"helios","action":"deregister host""#));
}

#[tokio::test]
async fn a_host_that_cannot_be_read_keeps_jobs_and_can_be_deregistered() {
    let tree = MemoryStore::new();
    let cluster = cluster(&tree, "m1");
    let job = create(&cluster, "web:1").await;
    let web = host("web1");
    let txn = Txn::new()
        .create(Keys::host(&web), "not JSON")
        .create(Keys::report(&web), encode(&HostReport::default()));
    tree.commit(txn).await.unwrap();
    let error = cluster
        .remove_job(&RemoveJob::new(job.clone()))
        .await
        .unwrap_err();
    let ClusterError::Store(error) = error else {
        panic!("{error}");
    };
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert_eq!(error.key(), Some(&Keys::host(&web)));
    cluster.deregister_host(&web).await.unwrap();
    assert_eq!(tree.get(&Keys::report(&web)).await.unwrap(), None);
    cluster.remove_job(&RemoveJob::new(job)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_master_is_announced_again_after_its_session_was_lost() {
    let tree = MemoryStore::new();
    let (master, other) = (cluster(&tree, "m1"), cluster(&tree, "m2"));
    let announced = Box::pin(master.announce_master("one", std::future::pending()));
    let scenario = Box::pin(async {
        let pause = Duration::from_secs(1);
        tokio::time::sleep(pause).await;
        let names = |masters: &Cluster| {
            let masters = masters.clone();
            async move {
                masters
                    .masters()
                    .await
                    .unwrap()
                    .names()
                    .cloned()
                    .collect::<Vec<_>>()
            }
        };
        assert_eq!(names(&other).await, ["one"]);
        let key = Keys::master("one").unwrap();
        let version = tree.get(&key).await.unwrap().unwrap().version;
        tree.commit(Txn::new().delete(key, version)).await.unwrap();
        assert!(names(&other).await.is_empty());
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(names(&other).await, ["one"]);
    });
    select(announced, scenario).await;
    master.announce_master("one", ready(())).await.unwrap();
    assert!(
        other.masters().await.unwrap().is_empty(),
        "a clean stop takes it back"
    );
}

#[tokio::test]
async fn a_master_that_stops_leaves_another_one_of_its_name_announced() {
    let tree = MemoryStore::new();
    let (first, second) = (cluster(&tree, "m1"), cluster(&tree, "m2"));
    let second_stays = Box::pin(second.announce_master("one", std::future::pending()));
    let first_stops = async {
        tokio::task::yield_now().await;
        first.announce_master("one", ready(())).await.unwrap();
        let left = first.masters().await.unwrap();
        let left = left
            .get(&"one".to_owned())
            .map(|own| own.incarnation.clone());
        assert_eq!(left.as_deref(), Some("m2"));
    };
    select(second_stays, Box::pin(first_stops)).await;
}

#[tokio::test]
async fn the_history_of_a_job_is_forgotten_on_every_host() {
    let tree = MemoryStore::new();
    let cluster = cluster(&tree, "m1");
    let job = create(&cluster, "web:1").await;
    for name in ["web1", "web2", "web3"] {
        let key = Keys::history(&job, &host(name)).unwrap();
        tree.commit(Txn::new().create(key, "{}")).await.unwrap();
    }
    assert_eq!(cluster.forget_history(&job).await.unwrap(), 3);
    assert_eq!(cluster.forget_history(&job).await.unwrap(), 0);
}

#[tokio::test]
async fn hosts_are_registered_only_in_the_cluster_that_is_meant() {
    let cluster = cluster(&MemoryStore::new(), "m1");
    let own = cluster.init().await.unwrap();
    let request = RegisterHost {
        host: host("web1"),
        agent_id: "a1".to_owned(),
    };
    let other = cluster.only_if_it_is("another");
    let refused = other.register_host(&request).await.unwrap_err();
    let elsewhere = Refused::OtherCluster {
        host: host("web1"),
        own: "another".to_owned(),
        found: Some(own.clone()),
    };
    assert_eq!(refused.refused(), Some(&elsewhere));
    assert!(cluster.hosts().await.unwrap().is_empty());
    let same = cluster.only_if_it_is(&own);
    same.register_host(&request).await.unwrap();
    assert!(cluster.hosts().await.unwrap().get(&host("web1")).is_some());
}

/// A tree with a host and its report, seen by somebody to whom that report is read with this trouble.
async fn without_report(kind: StoreErrorKind) -> (MemoryStore, Cluster) {
    let tree = MemoryStore::new();
    let web = register(&cluster(&tree, "m1"), "web1").await;
    let report = Keys::report(&web);
    let txn = Txn::new().create(report.clone(), encode(&HostReport::default()));
    tree.commit(txn).await.unwrap();
    let mut store = MockStore::new();
    let (seen, listed, written) = (tree.session(), tree.session(), tree.session());
    store.expect_get().returning(move |key| {
        if *key == report {
            return Err(StoreError::new(kind, "not for you").at(key.clone()));
        }
        seen.get(key).now_or_never().expect("at once")
    });
    let list = move |dir: &Key| listed.list(dir).now_or_never().expect("at once");
    store.expect_list().returning(list);
    let commit = move |txn| written.commit(txn).now_or_never().expect("at once");
    store.expect_commit().returning(commit);
    let ids = OperationIds::new("m2").unwrap();
    (
        tree,
        Cluster::new(Arc::new(store), Arc::new(StoppedClock), ids),
    )
}

#[tokio::test]
async fn a_report_that_may_not_be_read_hides_no_host_and_goes_with_it() {
    let (tree, cluster) = without_report(StoreErrorKind::Denied).await;
    let web = host("web1");
    let view = cluster.host(&web).await.unwrap().unwrap();
    let unread: Vec<_> = view.unread.iter().flatten().collect();
    assert_eq!(unread.len(), 1, "{unread:?}");
    assert!(unread[0].reason.contains("not for you"), "{unread:?}");
    cluster.deregister_host(&web).await.unwrap();
    assert_eq!(tree.get(&Keys::report(&web)).await.unwrap(), None);
}

#[tokio::test]
async fn a_report_that_cannot_be_had_now_is_an_error() {
    let (tree, cluster) = without_report(StoreErrorKind::Unavailable).await;
    let web = host("web1");
    let error = cluster.host(&web).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(cluster.deregister_host(&web).await.is_err());
    assert!(tree.get(&Keys::report(&web)).await.unwrap().is_some());
}
