//! What masters are asked, on a store where all goes well.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join_all, select, try_join_all};
use helios_core::cluster::ClusterError;
use helios_core::ops::{CreateJob, Deploy, Refused, RegisterHost, RemoveJob, SetGoal, Undeploy};
use helios_core::schema::{HostReport, Keys, OperationIds, encode};
use helios_core::store::{StoreErrorKind, Txn};
use helios_core::{Clock, Cluster, Goal, HostName, Job, JobId, Store};
use helios_store::MemoryStore;

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
    let web = register(&cluster.on_behalf_of("ann"), "web1").await;
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
