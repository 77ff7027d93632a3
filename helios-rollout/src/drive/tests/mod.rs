//! Variables in a store, moved by masters over a clock of the test's.

mod guards;
mod log;
mod refusals;
mod roll_up;
mod telling;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use helios_core::clock::Clock;
use helios_core::cluster::Cluster;
use helios_core::model::HostName;
use helios_core::schema::OperationIds;
use helios_core::store::{self, Key, Op, Scope, Snapshot, Store, StoreError, Txn};
use helios_core::{Moment, Timestamp};
use helios_store::MemoryStore;

use super::*;
use crate::audit::Record;
use crate::curve::Curve;
use crate::guard::{Action, Guard, Objective};
use crate::order::{Order, Rule};
use crate::variable::{Change, Transition, Value};

/// A clock that a test sets.
#[derive(Debug, Default)]
struct TestClock(Mutex<i64>);

impl TestClock {
    fn set(&self, seconds: i64) {
        *self.0.lock().unwrap() = seconds * 1_000;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(*self.0.lock().unwrap())
    }

    fn moment(&self) -> Moment {
        Moment::from_millis(*self.0.lock().unwrap() as u64)
    }
}

/// A store that remembers every record that was ever in the newest log.
#[derive(Debug, Default)]
struct Recorder {
    store: MemoryStore,
    records: Mutex<BTreeMap<u64, Record>>,
}

#[async_trait]
impl Store for Recorder {
    async fn get(&self, key: &Key) -> Result<Option<store::Entry>, StoreError> {
        self.store.get(key).await
    }

    async fn list(&self, dir: &Key) -> Result<Snapshot, StoreError> {
        self.store.list(dir).await
    }

    async fn commit(&self, txn: Txn) -> Result<(), StoreError> {
        self.store.commit(txn.clone()).await?;
        let mut records = self.records.lock().unwrap();
        for op in txn.ops() {
            if let Op::Create { value, .. } | Op::Update { value, .. } = op
                && let Ok(page) = serde_json::from_slice::<Page>(value)
            {
                let begins = page.records.iter().any(|record| record.sequence == 0);
                if begins && matches!(op, Op::Create { .. }) {
                    records.clear();
                }
                for record in page.records {
                    let known = records.entry(record.sequence).or_insert(record.clone());
                    assert_eq!(*known, record, "no record changes");
                }
            }
        }
        Ok(())
    }

    fn watch(&self, scope: Scope) -> BoxStream<'static, Result<Snapshot, StoreError>> {
        self.store.watch(scope)
    }
}

/// A store, and masters on it.
struct Rig {
    store: Arc<Recorder>,
    clock: Arc<TestClock>,
}

impl Rig {
    fn new() -> Self {
        let (store, clock) = (Arc::default(), Arc::default());
        Self { store, clock }
    }

    /// Everything that was ever in the log.
    fn full_log(&self) -> Vec<Record> {
        let records = self.store.records.lock().unwrap();
        records.values().cloned().collect()
    }

    fn cluster(&self, name: &str) -> Cluster {
        let ids = OperationIds::new(name).unwrap();
        Cluster::new(self.store.clone(), self.clock.clone(), ids)
    }

    fn master(&self, name: &str) -> Master {
        let cluster = self.cluster(name);
        Master {
            variables: Variables::on(cluster.clone()),
            driver: VariableDriver::new(cluster),
        }
    }
}

struct Master {
    variables: Variables,
    driver: VariableDriver,
}

impl Master {
    async fn tick(&mut self) {
        let fleet = self.variables.cluster().fleet().await.unwrap();
        let book = self.variables.read().await.unwrap();
        self.driver.tick(&fleet, &book).await;
    }

    async fn values(&self) -> BTreeMap<HostName, Value> {
        let book = self.variables.read().await.unwrap();
        let hosts = book.followers.iter().map(|(host, follower)| {
            let member = crate::order::Member::new(host.clone(), follower.labels.clone());
            let desired = book.desired(&member);
            (host.clone(), desired.values["docker"].clone())
        });
        hosts.collect()
    }

    async fn told(&self) -> usize {
        let values = self.values().await;
        values
            .values()
            .filter(|value| **value == "27".into())
            .count()
    }

    async fn follow(&self, index: usize) {
        let labels = BTreeMap::from([("role".to_owned(), format!("role-{}", index % 4))]);
        let book = Book::default();
        self.variables
            .follow(&book, &host(index), &labels)
            .await
            .unwrap();
    }

    async fn is_running(&self) -> bool {
        let ledger = self.variables.ledger("docker").await.unwrap().unwrap();
        ledger.state().is_some()
    }
}

fn host(index: usize) -> HostName {
    format!("host-{index}").parse().unwrap()
}

fn to_26() -> Setting {
    Setting {
        value: "26".into(),
        allowed: None,
        forbidden: None,
    }
}

/// From 26 to 27 over a hundred seconds, with one host of each role first.
fn transition() -> Transition {
    let mut order = Order::new("docker-27", ["role"]);
    order.rules = vec![Rule::at_least("a canary in every role", 1)];
    let curve = Curve::linear(Timestamp::from_millis(0), Duration::from_secs(100));
    Transition::new(Change::replace("26", "27"), curve, order)
}

fn guard(on_harm: Action) -> Guard {
    let objective = Objective {
        name: "health".to_owned(),
        query: Query::Health { grace_seconds: 0 }.to_string(),
        margin_permille: 500,
        gates: vec![],
        on_harm,
        dead_man: Duration::from_secs(600),
    };
    Guard {
        alpha_ppm: 50_000,
        objectives: vec![objective],
        bake: None,
    }
}

/// A master, and a fleet of followers that hold 26.
async fn fleet_of(count: usize) -> (Rig, Master) {
    let rig = Rig::new();
    let master = rig.master("m1");
    for index in 0..count {
        master.follow(index).await;
    }
    master.variables.set("docker", &to_26()).await.unwrap();
    (rig, master)
}

async fn started(count: usize, guard: Option<&Guard>) -> (Rig, Master) {
    let (rig, master) = fleet_of(count).await;
    let started = master.variables.start("docker", &transition(), guard).await;
    started.unwrap();
    (rig, master)
}
