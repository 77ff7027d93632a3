//! How long a rollout over many hosts takes, and how much it writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use helios_core::model::{DeploymentGroup, Goal, RolloutOptions};
use helios_core::ops::CreateJob;
use helios_core::schema::{HostRecord, HostReport, Keys, Presence, TaskReport, Versioned, encode};
use helios_core::store::{Entry, Key, Op, Scope, Snapshot, Store, StoreError, Txn};
use helios_core::{Cluster, HostName, Job, TaskState, Timestamp};
use helios_rollout::rolling::{Driver, Groups, RollOut, RolloutState};
use helios_store::MemoryStore;
use tokio::time::{Instant, sleep};

use crate::fleet::host;

const HOSTS: usize = 200;
const WIDTH: usize = 20;

/// How long a host takes from being told to being healthy.
const TAKES: Duration = Duration::from_secs(2);

/// The connection of a master that counts what it writes.
#[derive(Debug)]
struct CountingStore {
    inner: MemoryStore,
    commits: AtomicUsize,
    hosts: AtomicUsize,
    others: AtomicUsize,
}

#[async_trait]
impl Store for CountingStore {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        self.inner.get(key).await
    }

    async fn list(&self, dir: &Key) -> Result<Snapshot, StoreError> {
        self.inner.list(dir).await
    }

    async fn commit(&self, txn: Txn) -> Result<(), StoreError> {
        let written = txn
            .ops()
            .iter()
            .filter(|op| !matches!(op, Op::Check { .. }));
        let hosts = format!("{}/", Keys::hosts());
        let (hosts, others): (Vec<_>, Vec<_>) =
            written.partition(|op| op.key().as_str().starts_with(&hosts));
        let (hosts, others) = (hosts.len(), others.len());
        self.inner.commit(txn).await?;
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.hosts.fetch_add(hosts, Ordering::Relaxed);
        self.others.fetch_add(others, Ordering::Relaxed);
        Ok(())
    }

    fn watch(&self, scope: Scope) -> BoxStream<'static, Result<Snapshot, StoreError>> {
        self.inner.watch(scope)
    }
}

/// A host that does what it is told, in its time.
async fn obey(store: MemoryStore, cluster: Cluster, name: HostName) {
    let key = Keys::report(&name);
    let mut goals = store.watch(Scope::Entry(Keys::host(&name)));
    while goals.next().await.is_some() {
        let record: Option<Versioned<HostRecord>> =
            cluster.read(&Keys::host(&name)).await.expect("a read");
        let Some(record) = record.filter(|record| !record.goals.is_empty()) else {
            continue;
        };
        sleep(TAKES).await;
        let report: Versioned<HostReport> =
            cluster.read(&key).await.expect("a read").expect("a report");
        let mut next = HostReport::clone(&report);
        let jobs = record.goals.keys().cloned();
        next.tasks = jobs.map(|job| (job, running())).collect();
        let txn = Txn::new().update(key.clone(), report.version, encode(&next));
        store.commit(txn).await.expect("a report");
    }
}

fn running() -> TaskReport {
    TaskReport::new(Goal::Start, TaskState::Running, Timestamp::default())
}

async fn register(store: &MemoryStore, name: &HostName) {
    let id = name.to_string();
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
        .create(Keys::host(name), encode(&record))
        .create(Keys::report(name), encode(&report))
        .create_ephemeral(Keys::up(name), encode(&presence));
    store.commit(txn).await.expect("a host");
}

#[tokio::test(start_paused = true)]
async fn a_large_fleet_takes_as_long_as_its_width_says_and_each_host_is_written_once() {
    let store = MemoryStore::new();
    let cluster = Cluster::on(Arc::new(store.clone())).expect("randomness");
    cluster.init().await.expect("a cluster");
    let mut agents = tokio::task::JoinSet::new();
    for number in 1..=HOSTS {
        register(&store, &host(number)).await;
        agents.spawn(obey(store.clone(), cluster.clone(), host(number)));
    }
    let groups = Groups::of(cluster.clone());
    let selectors = vec!["role=web".parse().expect("a selector")];
    let group = DeploymentGroup::new("front", selectors);
    groups.create(&group).await.expect("a group");
    let job = Job::new("web:1", "web").expect("an id").with_computed_id();
    let job = cluster
        .create_job(&CreateJob::new(job))
        .await
        .expect("a job");

    let counting = Arc::new(CountingStore {
        inner: store.session(),
        commits: AtomicUsize::new(0),
        hosts: AtomicUsize::new(0),
        others: AtomicUsize::new(0),
    });
    let master = Cluster::on(Arc::clone(&counting) as _).expect("randomness");
    agents.spawn(Driver::new(&master, "m1").run(std::future::pending()));
    let mut options = RolloutOptions::default();
    options.parallelism = Some(i32::try_from(WIDTH).expect("a width"));
    let request = RollOut {
        options,
        ..RollOut::new("front", job)
    };
    let begin = Instant::now();
    groups.roll_out(&request).await.expect("a rollout");
    let rollout = loop {
        let record = groups.get("front").await.expect("a read").expect("a group");
        let rollout = record.rollout.clone().expect("a rollout");
        if rollout.state != RolloutState::RollingOut {
            break rollout;
        }
        sleep(Duration::from_millis(10)).await;
    };
    let took = begin.elapsed();
    assert_eq!(
        (rollout.state, rollout.done),
        (RolloutState::Done, HOSTS as u64)
    );
    let least = TAKES * u32::try_from(HOSTS / WIDTH).expect("batches");
    assert!(took >= least, "never more than {WIDTH} at a time: {took:?}");
    assert!(took <= least.mul_f64(1.2), "{took:?} instead of {least:?}");
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    assert_eq!(count(&counting.hosts), HOSTS, "each host is written once");
    // The group and the audit record of each step.
    assert_eq!(count(&counting.others), 2 * count(&counting.commits));
}
