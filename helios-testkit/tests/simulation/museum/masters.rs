//! Masters with bugs.

use std::sync::Arc;
use std::time::Duration;

use helios_core::cluster::{Cluster, ClusterError};
use helios_core::model::Job;
use helios_core::ops::{CreateJob, Deploy};
use helios_core::schema::{
    AuditRecord, HostRecord, JobRecord, Keys, OperationIds, Stamp, decode, encode,
};
use helios_core::store::{Key, Txn};
use helios_core::{Goal, Timestamp};
use helios_testkit::sim::MasterCtx;
use tokio::time::sleep;

fn job() -> Job {
    Job::new("web:1", "web:1")
        .expect("a job")
        .with_computed_id()
}

/// B14: one change, two transactions.
pub(super) async fn writes_in_parts(master: MasterCtx) {
    drop(master.cluster.init().await);
    let store = Arc::clone(master.cluster.store());
    while !master.is_over() {
        drop(master.cluster.create_job(&CreateJob::new(job())).await);
        sleep(Duration::from_secs(3)).await;
        let keys = [Keys::job(&job().id), Keys::job_name(&job().id)];
        for key in keys.into_iter().flatten() {
            if let Ok(Some(entry)) = store.get(&key).await {
                drop(store.commit(Txn::new().delete(key, entry.version)).await);
            }
        }
        sleep(Duration::from_secs(5)).await;
    }
}

/// Says that something was done, whatever the store said.
pub(super) async fn acknowledges_too_much(mut master: MasterCtx) {
    drop(master.cluster.init().await);
    while !master.is_over() {
        let host = master.hosts[0].clone();
        let made = master.ask("deploy", |cluster| async move {
            drop(cluster.create_job(&CreateJob::new(job())).await);
            let deploy = Deploy::new(host, job().id, Goal::Start);
            drop(cluster.on_behalf_of("nobody").deploy(&deploy).await);
            Ok::<(), ClusterError>(())
        });
        drop(made.await);
        sleep(Duration::from_secs(5)).await;
    }
}

/// Takes "nobody knows" for "no".
pub(super) async fn retries_blindly(mut master: MasterCtx) {
    drop(master.cluster.init().await);
    let clock = Timestamp::from_millis(1_700_000_000_000);
    let mut count = 0;
    while !master.is_over() {
        count += 1;
        let (number, dice) = (master.number, master.dice.any());
        let made = master.ask("note something", |cluster| async move {
            let store = Arc::clone(cluster.store());
            let ids = OperationIds::new(format!("blind{number}-{dice}-{count}")).expect("an id");
            for _ in 0..4 {
                let principal = principal_of(&cluster);
                let stamp = Stamp {
                    operation: ids.next(),
                    at: clock,
                    principal,
                };
                let audit = AuditRecord::new(&stamp, "note");
                let txn = Txn::new().create(Keys::audit(clock, &stamp.operation), encode(&audit));
                if store.commit(txn).await.is_ok() {
                    break;
                }
            }
            Ok::<(), ClusterError>(())
        });
        drop(made.await);
        sleep(Duration::from_secs(1)).await;
    }
}

/// On whose behalf a cluster acts, as its debug text says.
fn principal_of(cluster: &Cluster) -> String {
    let text = format!("{cluster:?}");
    let rest = text.split("principal: \"").nth(1).unwrap_or_default();
    rest.split('"').next().unwrap_or_default().to_owned()
}

/// Changes goals, and tells nobody.
pub(super) async fn leaves_no_trace(master: MasterCtx) {
    drop(master.cluster.init().await);
    let store = Arc::clone(master.cluster.store());
    while !master.is_over() {
        sleep(Duration::from_secs(5)).await;
        drop(master.cluster.create_job(&CreateJob::new(job())).await);
        let key = Keys::host(&master.hosts[0]);
        let Ok(Some(entry)) = store.get(&key).await else {
            continue;
        };
        let Ok(mut record) = decode::<HostRecord>(&key, &entry.value) else {
            continue;
        };
        let Ok(Some(found)) = store.get(&Keys::job(&job().id).expect("a key")).await else {
            continue;
        };
        let Ok(found) = decode::<JobRecord>(&key, &found.value) else {
            continue;
        };
        let deploy = Deploy::new(master.hosts[0].clone(), job().id, Goal::Start);
        if record.goals.remove(&deploy.job).is_none() {
            let goal = serde_json::json!({"job": &*found.job, "goal": "START"});
            record
                .goals
                .insert(deploy.job, serde_json::from_value(goal).expect("a goal"));
        }
        record.revision += 1;
        drop(
            store
                .commit(Txn::new().update(key, entry.version, encode(&record)))
                .await,
        );
    }
}

/// Stores something in a place of its own.
pub(super) async fn writes_anywhere(master: MasterCtx) {
    drop(master.cluster.init().await);
    let key = Key::new("tmp/lock").expect("a key");
    drop(
        master
            .cluster
            .store()
            .commit(Txn::new().create(key, "1"))
            .await,
    );
}
