//! On a cluster that is there already: by the address of its master, and by its store.

use std::sync::Arc;

use helios_api::server::{MasterState, router, serve};
use helios_core::agent::{Agent, AgentId};
use helios_core::ops::{CreateJob, Deploy};
use helios_core::{Cluster, Goal, HostName, Job};
use helios_store::MemoryStore;
use helios_testkit::host::{FakeMachine, FakeProbe, MemoryStateDir};
use helios_testkit::runtime::{FakeEngine, FakeImage, Registry};
use helios_testkit::temporary::{TemporaryErrorKind, TemporaryJobs};
use tokio::net::TcpListener;

use crate::bodies;

/// A cluster of one host, whose containers are in memory; and the address of its master.
async fn cluster() -> (Cluster, String) {
    let store = Arc::new(MemoryStore::new());
    let cluster = Cluster::on(store.clone()).expect("randomness");
    cluster.init().await.expect("a cluster");
    let engine = FakeEngine::new();
    engine.image(bodies::WEB, FakeImage::new().here());
    engine.image(bodies::NOTHING, FakeImage::new().registry(Registry::Lacks));
    let id = AgentId::new("a1").expect("an id");
    let runtime = Arc::new(engine.runtime(id.owner().clone()));
    let state = Arc::new(MemoryStateDir::new());
    let agent = Agent::new("web1".parse().expect("a name"), id, store, runtime, state)
        .machine(Arc::new(FakeMachine::new()))
        .probe(Arc::new(FakeProbe::new()));
    tokio::spawn(agent.run(std::future::pending()));
    let is_up = cluster.wait_until(|fleet| fleet.up.len() == 1);
    is_up.await.expect("the host is up");

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let router = router(MasterState::new(cluster.clone()));
    tokio::spawn(serve(listener, router, std::future::pending()));
    (cluster, address)
}

/// The bodies that need no real ports.
async fn bodies(jobs: &TemporaryJobs, other: &TemporaryJobs) {
    bodies::a_job_with_a_health_check_is_ready_once_it_passes(jobs).await;
    bodies::what_is_wrong_with_a_job_is_told_at_once(other).await;
}

#[tokio::test]
async fn the_same_tests_run_on_a_cluster_by_the_address_of_a_master() {
    let (cluster, master) = cluster().await;
    let jobs = TemporaryJobs::at(&master).await.expect("a master");
    let other = TemporaryJobs::at(&master).await.expect("a master");
    bodies(&jobs, &other).await;
    for jobs in [jobs, other] {
        jobs.end().await.expect("nothing is left");
    }
    assert!(cluster.jobs().await.expect("a look").is_empty());
}

#[tokio::test]
async fn the_same_tests_run_on_a_cluster_by_its_store() {
    let (cluster, _) = cluster().await;
    let jobs = TemporaryJobs::on_cluster(cluster.clone())
        .await
        .expect("a cluster");
    let other = TemporaryJobs::on_cluster(cluster.clone())
        .await
        .expect("a cluster");
    bodies(&jobs, &other).await;
    for jobs in [jobs, other] {
        jobs.end().await.expect("nothing is left");
    }
    assert!(cluster.jobs().await.expect("a look").is_empty());
}

/// A job of a test whose process nobody knows is removed once it is old; the jobs of others never are.
#[tokio::test]
async fn what_was_left_on_the_cluster_is_removed_by_the_next_test() {
    let (cluster, master) = cluster().await;
    let host: HostName = "web1".parse().expect("a name");
    for name in ["tmp-5f5e1000-00000000000000aa_web", "tmp-web"] {
        let job = Job::new(&format!("{name}:1"), bodies::WEB).expect("an id");
        let id = cluster
            .create_job(&CreateJob::new(job))
            .await
            .expect("a job");
        let deploy = Deploy::new(host.clone(), id, Goal::Start);
        cluster.deploy(&deploy).await.expect("a deployment");
    }
    let jobs = TemporaryJobs::at(&master).await.expect("a master");
    let left = cluster.jobs().await.expect("a look");
    let left: Vec<&str> = left.names().map(|id| id.name()).collect();
    assert_eq!(left, ["tmp-web"]);
    jobs.end().await.expect("nothing is left");
}

#[tokio::test]
async fn a_cluster_that_is_not_there_fails_the_test_where_it_begins() {
    for (address, kind) in [
        ("ftp://nowhere", TemporaryErrorKind::NoPlace),
        ("http://127.0.0.1:1", TemporaryErrorKind::Unavailable),
    ] {
        let error = TemporaryJobs::at(address).await.expect_err(address);
        assert_eq!(error.kind(), kind, "{error:?}");
    }
}

#[tokio::test]
async fn a_cluster_without_hosts_fails_the_deployment() {
    let cluster = Cluster::on(Arc::new(MemoryStore::new())).expect("randomness");
    cluster.init().await.expect("a cluster");
    let jobs = TemporaryJobs::on_cluster(cluster).await.expect("a cluster");
    let error = jobs.job("web").image(bodies::WEB).deploy().await;
    let error = error.expect_err("no host");
    assert_eq!(error.kind(), TemporaryErrorKind::NoPlace);
    assert!(error.to_string().contains("start an agent"), "{error}");
}
