//! What holds after every single commit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use helios_core::schema::{HostRecord, JobRecord, Keys, NameRecord, Versioned};
use helios_core::store::{Key, Op, Txn};
use helios_core::{HostName, JobId, Store};
use helios_store::MemoryStore;

/// Looks at the whole tree after every commit, and remembers the revisions it saw.
#[derive(Debug, Default)]
pub(crate) struct Invariants {
    revisions: Mutex<BTreeMap<(HostName, String), u64>>,
}

impl Invariants {
    pub(crate) async fn check(&self, store: &MemoryStore, txn: &Txn) {
        check_audit(txn);
        let jobs = records::<JobRecord>(store, &Keys::jobs()).await;
        let names = records::<NameRecord>(store, &Key::new("names").unwrap()).await;
        let hosts = records::<HostRecord>(store, &Keys::hosts()).await;
        check_names(&jobs, &names);
        for (name, host) in &hosts {
            check_goals(name, host, &jobs);
            let key = Keys::hosts().child(name).unwrap();
            let changes = |op: &Op| !matches!(op, Op::Check { .. }) && *op.key() == key;
            self.check_revision(name, host, txn.ops().iter().any(changes));
        }
    }

    /// Within an epoch, the revision counts the changes of the entry.
    fn check_revision(&self, name: &str, host: &HostRecord, changed: bool) {
        let key = (name.parse().unwrap(), host.epoch.clone());
        let mut revisions = self.revisions.lock().unwrap();
        if let Some(last) = revisions.insert(key, host.revision) {
            assert_eq!(host.revision, last + u64::from(changed), "{name}: {host:?}");
        }
    }
}

async fn records<T: serde::de::DeserializeOwned>(
    store: &MemoryStore,
    dir: &Key,
) -> BTreeMap<String, Versioned<T>> {
    let snapshot = store.list(dir).await.unwrap();
    let records = snapshot.iter().map(|(name, entry)| {
        let key = dir.child(name).unwrap();
        (name.to_owned(), Versioned::decode(&key, entry).unwrap())
    });
    records.collect()
}

/// Whatever changes a job or a host leaves one record; only the mark of a removal needs none.
fn check_audit(txn: &Txn) {
    let dir = |op: &Op| op.key().segments().next().unwrap().to_owned();
    let is_change = |op: &&Op| match op {
        Op::Check { .. } => false,
        Op::Update { .. } => dir(op) == "hosts",
        Op::Create { .. } | Op::Delete { .. } => dir(op) != "audit",
    };
    let changes = txn.ops().iter().filter(is_change).count();
    let records = txn.ops().iter().filter(|op| dir(op) == "audit").count();
    let is_void = changes == 0 && txn.ops().len() == 1;
    assert!(records == usize::from(changes > 0) || is_void, "{txn:?}");
}

/// Every job has its name and version, and every name and version has its job.
fn check_names(
    jobs: &BTreeMap<String, Versioned<JobRecord>>,
    names: &BTreeMap<String, Versioned<NameRecord>>,
) {
    let of_jobs = |id: &JobId| (id.without_hash().to_string(), id.clone());
    let jobs: BTreeMap<_, _> = jobs
        .values()
        .map(|record| of_jobs(&record.job.id))
        .collect();
    let names: BTreeMap<_, _> = names
        .iter()
        .map(|(name, record)| (name.clone(), record.id.clone()))
        .collect();
    assert_eq!(jobs, names);
}

/// Every goal names a job that is there, and no two of them want one port.
fn check_goals(name: &str, host: &HostRecord, jobs: &BTreeMap<String, Versioned<JobRecord>>) {
    for (id, goal) in &host.goals {
        assert_eq!(*id, goal.job.id);
        assert!(jobs.contains_key(id.as_str()), "{id} on {name} is gone");
    }
    let mut ports = BTreeSet::new();
    for (protocol, port, job) in host.static_ports() {
        assert!(
            ports.insert((protocol.to_owned(), port)),
            "{port}/{protocol} of {job}"
        );
    }
}
