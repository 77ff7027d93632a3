//! Prints what a step of a rolling update costs: `cargo bench -p helios-rollout --bench rolling`.
#![expect(clippy::print_stdout, reason = "a table is what this program is for")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]
#![expect(clippy::unwrap_used, reason = "its inputs are its own")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use helios_core::Cluster;
use helios_core::cluster::FleetView;
use helios_core::model::{DeploymentGroup, HostName, Job, JobId};
use helios_core::ops::CreateJob;
use helios_core::schema::{
    HostRecord, HostReport, Keys, OperationIds, Presence, Stamp, Versioned, encode,
};
use helios_core::store::{Store, Txn};
use helios_rollout::rolling::{GroupRecord, Groups, Policy, RollOut, advance, step};
use helios_store::MemoryStore;

const HOSTS: usize = 10_000;
const GROUP: &str = "front";

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = MemoryStore::new();
        let cluster = Cluster::on(Arc::new(store.clone())).unwrap();
        cluster.init().await.unwrap();
        for number in 0..HOSTS {
            register(&store, number).await;
        }
        let groups = Groups::of(cluster.clone());
        let group = DeploymentGroup::new(GROUP, vec!["role=web".parse().unwrap()]);
        groups.create(&group).await.unwrap();
        let job = Job::new("web:1", "web").unwrap().with_computed_id();
        let job = cluster.create_job(&CreateJob::new(job)).await.unwrap();
        println!("a group of {HOSTS} hosts, best of 10");
        for width in ["1", "1%"] {
            let (record, fleet) = rolling_out(&cluster, &groups, &job, width).await;
            report(&cluster, &record, &fleet, width);
        }
    });
}

async fn register(store: &MemoryStore, number: usize) {
    let name: HostName = format!("web{number}.example.net").parse().unwrap();
    let id = format!("agent-{number}");
    let record = HostRecord::new(id.clone(), "e");
    let report = HostReport {
        agent_id: id.clone(),
        labels: [("role".to_owned(), "web".to_owned())].into(),
        ..HostReport::default()
    };
    let presence = Presence {
        id,
        incarnation: "i".to_owned(),
    };
    let txn = Txn::new()
        .create(Keys::host(&name), encode(&record))
        .create(Keys::report(&name), encode(&report))
        .create_ephemeral(Keys::up(&name), encode(&presence));
    store.commit(txn).await.unwrap();
}

async fn rolling_out(
    cluster: &Cluster,
    groups: &Groups,
    job: &JobId,
    width: &str,
) -> (Versioned<GroupRecord>, FleetView) {
    let mut request = RollOut::new(GROUP, job.clone());
    request.policy = Policy {
        parallelism: Some(width.parse().unwrap()),
        ..Policy::default()
    };
    groups.roll_out(&request).await.unwrap();
    let record = groups.get(GROUP).await.unwrap().unwrap();
    (record, cluster.fleet().await.unwrap())
}

fn report(cluster: &Cluster, record: &Versioned<GroupRecord>, fleet: &FleetView, width: &str) {
    let now = cluster.clock().now();
    let plan = advance(record, fleet, now);
    let stamp = Stamp {
        operation: OperationIds::new("m").unwrap().next(),
        at: now,
        principal: "bench".to_owned(),
    };
    let planning = best(|| advance(record, fleet, now));
    let making = best(|| step(record, &plan, fleet, now, &stamp, "m1"));
    let txn = step(record, &plan, fleet, now, &stamp, "m1");
    println!(
        "{width:>4} at a time: {} hosts started; planned in {planning:.1?}, made one transaction of {} operations in {making:.1?}",
        plan.moves().count(),
        txn.ops().len()
    );
}

fn best<T>(mut work: impl FnMut() -> T) -> Duration {
    let took = |_| {
        let begin = Instant::now();
        black_box(work());
        begin.elapsed()
    };
    (0..10).map(took).min().unwrap_or_default()
}
