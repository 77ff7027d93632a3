//! A change whose answer is lost on the way is still made exactly once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join;
use helios_core::cluster::ClusterError;
use helios_core::ops::{CreateJob, Deploy, Refused, RegisterHost, RemoveJob};
use helios_core::schema::{AuditRecord, Keys, OperationIds};
use helios_core::store::StoreErrorKind;
use helios_core::{Clock, Cluster, Goal, HostName, Job, JobId, Store};
use helios_store::MemoryStore;

use crate::bad_connection::{BadConnection, Fate};
use crate::invariants::Invariants;
use crate::stopped_clock::StoppedClock;

fn host() -> HostName {
    "web1".parse().unwrap()
}

/// A cluster over a connection whose first commits have those fates.
fn cluster(tree: &MemoryStore, name: &str, fates: &[Fate]) -> (Cluster, Arc<BadConnection>) {
    let invariants = Arc::new(Invariants::default());
    let connection = BadConnection::new(tree, 0, &invariants).with(fates.iter().copied());
    let connection = Arc::new(connection);
    let store: Arc<dyn Store> = Arc::clone(&connection) as _;
    let ids = OperationIds::new(name).unwrap();
    (Cluster::new(store, Arc::new(StoppedClock), ids), connection)
}

/// A tree with a job and a host.
async fn tree() -> (MemoryStore, JobId) {
    let tree = MemoryStore::new();
    let (cluster, _) = cluster(&tree, "setup", &[]);
    let job = Job::new("web:1", "nginx").unwrap();
    let id = cluster.create_job(&CreateJob::new(job)).await.unwrap();
    let request = RegisterHost {
        host: host(),
        agent_id: "a1".to_owned(),
    };
    cluster.register_host(&request).await.unwrap();
    (tree, id)
}

/// A deployment, whose commits have those fates, is made once; nothing that is late adds to it.
async fn check(fates: &[Fate]) {
    let (tree, job) = tree().await;
    let (cluster, connection) = cluster(&tree, "m1", fates);
    let request = Deploy::new(host(), job.clone(), Goal::Start);
    cluster
        .deploy(&request)
        .await
        .unwrap_or_else(|error| panic!("{fates:?}: {error}"));
    connection.deliver_late().await;
    let view = cluster.host(&host()).await.unwrap().unwrap();
    assert_eq!(view.record.revision, 2, "{fates:?}");
    assert!(view.record.goals.contains_key(&job), "{fates:?}");
}

#[tokio::test(start_paused = true)]
async fn a_deployment_happens_once_whatever_happens_to_its_commits() {
    use Fate::{AnswerLost, Late, Lost};
    for fates in [
        &[][..],
        &[AnswerLost],
        &[Lost],
        &[Lost, Lost, AnswerLost],
        &[Lost, AnswerLost],
        &[Late(99)],
        &[Late(99), AnswerLost],
        &[Late(99), Late(98), Late(97)],
    ] {
        check(fates).await;
    }
    for calls in 1..12 {
        check(&[Late(calls)]).await;
        check(&[Late(calls), Lost]).await;
        check(&[Lost, Late(calls), AnswerLost]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_removal_happens_once_whatever_happens_to_its_commits() {
    for fate in [Fate::AnswerLost, Fate::Lost, Fate::Late(2), Fate::Late(99)] {
        for fates in [
            &[fate][..],
            &[Fate::Done, fate],
            &[fate, fate],
            &[fate, Fate::Done, fate],
        ] {
            let (tree, job) = tree().await;
            let (cluster, connection) = cluster(&tree, "m1", fates);
            cluster
                .remove_job(&RemoveJob::new(job.clone()))
                .await
                .unwrap();
            connection.deliver_late().await;
            assert_eq!(cluster.job(&job).await.unwrap(), None, "{fates:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_this_change_did_itself_does_not_refuse_it() {
    let tree = MemoryStore::new();
    let (cluster, _) = cluster(&tree, "m1", &[Fate::AnswerLost]);
    let job = CreateJob::new(Job::new("web:1", "nginx").unwrap());
    let id = cluster.create_job(&job).await.unwrap();
    assert!(cluster.job(&id).await.unwrap().is_some());
    let again = cluster.create_job(&job).await.unwrap_err();
    assert!(
        matches!(again.refused(), Some(Refused::JobAlreadyExists { .. })),
        "{again}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_refused_change_never_happens_later() {
    let tree = MemoryStore::new();
    let (slow, connection) = cluster(&tree, "m1", &[Fate::Late(99)]);
    let (fast, _) = cluster(&tree, "m2", &[]);
    let wanted = CreateJob::new(Job::new("web:1", "nginx").unwrap());
    let other = CreateJob::new(Job::new("web:1", "apache").unwrap());
    let (refused, id) = join(slow.create_job(&wanted), async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        fast.create_job(&other).await.unwrap()
    })
    .await;
    let refused = refused.unwrap_err();
    assert!(
        matches!(refused.refused(), Some(Refused::JobAlreadyExists { .. })),
        "{refused}"
    );
    fast.remove_job(&RemoveJob::new(id)).await.unwrap();
    connection.deliver_late().await;
    assert!(fast.jobs().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_whose_own_record_was_made_unheard_is_no_success() {
    let tree = MemoryStore::new();
    let (slow, _) = cluster(&tree, "m1", &[Fate::Lost, Fate::AnswerLost]);
    let (fast, _) = cluster(&tree, "m2", &[]);
    let wanted = CreateJob::new(Job::new("web:1", "nginx").unwrap());
    let other = CreateJob::new(Job::new("web:1", "apache").unwrap());
    let (refused, made) = join(slow.create_job(&wanted), async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        fast.create_job(&other).await
    })
    .await;
    let refused = refused.unwrap_err();
    assert!(refused.refused().is_some(), "{refused}");
    made.unwrap();
    let audit = Keys::audit_of(StoppedClock.now());
    let records = fast.list::<String, AuditRecord>(&audit).await.unwrap();
    let actions: BTreeSet<_> = records.iter().map(|(_, record)| &*record.action).collect();
    assert!(actions.iter().eq(&["create job", "nothing"]), "{actions:?}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_known_is_said_to_be_unknown_once_a_store_had_time_to_recover() {
    let (tree, job) = tree().await;
    let (cluster, _) = cluster(&tree, "m1", &[Fate::Lost; 99]);
    let request = Deploy::new(host(), job, Goal::Start);
    let asked = tokio::time::Instant::now();
    let error = cluster.deploy(&request).await.unwrap_err();
    let waited = asked.elapsed();
    assert!((6..7).contains(&waited.as_secs()), "{waited:?}");
    let ClusterError::Store(error) = error else {
        panic!("{error}");
    };
    assert_eq!(error.kind(), StoreErrorKind::Indeterminate);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_down_is_not_asked_again() {
    let (tree, job) = tree().await;
    let (cluster, _) = cluster(&tree, "m1", &[Fate::Down]);
    let request = Deploy::new(host(), job, Goal::Start);
    let error = cluster.deploy(&request).await.unwrap_err();
    let ClusterError::Store(error) = error else {
        panic!("{error}");
    };
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
}
