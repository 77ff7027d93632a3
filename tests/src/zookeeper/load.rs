//! Work on the store that can be audited: every transaction counts one up and leaves its mark.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use helios_core::store::{Entry, Key, Scope, Snapshot, Store, StoreErrorKind, Txn};
use helios_store::zookeeper::ZooKeeperStore;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// Nothing in these tests may take that long; whatever does hangs.
pub(crate) const HANGS: Duration = Duration::from_secs(60);

pub(crate) fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

/// Waits for a future that must not hang.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match timeout(HANGS, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what} hangs"),
    }
}

/// Repeats a call for as long as the store cannot be reached.
pub(crate) async fn until_there<T, F>(call: impl Fn() -> F) -> T
where
    F: Future<Output = Result<T, helios_core::store::StoreError>>,
{
    soon("a call that is repeated", async {
        loop {
            match call().await {
                Ok(value) => return value,
                Err(error) if error.kind() == StoreErrorKind::Unavailable => {
                    sleep(Duration::from_millis(20)).await;
                }
                Err(error) => panic!("{error}: {:?}", std::error::Error::source(&error)),
            }
        }
    })
    .await
}

/// Reads an entry, as soon as the store can be reached.
pub(crate) async fn get(store: &ZooKeeperStore, at: &str) -> Option<Entry> {
    let key = key(at);
    until_there(|| store.get(&key)).await
}

/// Lists a directory, as soon as the store can be reached.
pub(crate) async fn list(store: &ZooKeeperStore, at: &str) -> Snapshot {
    let key = key(at);
    until_there(|| store.list(&key)).await
}

/// Workers that count, and watchers that look on.
pub(crate) struct Load {
    dir: &'static str,
    stop: Arc<AtomicBool>,
    /// How many transactions have been acknowledged so far.
    pub(crate) done: Arc<AtomicUsize>,
    workers: Vec<JoinHandle<BTreeSet<String>>>,
    watchers: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts `workers` on each of the handles, and a watcher on each.
    pub(crate) async fn start(
        dir: &'static str,
        stores: &[ZooKeeperStore],
        workers: usize,
    ) -> Self {
        let counter = counter(dir);
        let create = Txn::new().create(counter.clone(), "0");
        stores[0].commit(create).await.unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let done = Arc::new(AtomicUsize::new(0));
        let mut load = Self {
            dir,
            stop: Arc::clone(&stop),
            done: Arc::clone(&done),
            workers: Vec::new(),
            watchers: Vec::new(),
        };
        for (at, store) in stores.iter().enumerate() {
            for worker in 0..workers {
                let worker = Worker {
                    name: format!("{at}-{worker}"),
                    dir,
                    store: store.clone(),
                    done: Arc::clone(&done),
                };
                load.workers
                    .push(tokio::spawn(worker.run(Arc::clone(&stop))));
            }
            load.watchers
                .push(tokio::spawn(never_back(store.clone(), counter.clone())));
        }
        load
    }

    /// Waits until that many more transactions are through.
    pub(crate) async fn progress(&self, transactions: usize) {
        let goal = self.done.load(Ordering::SeqCst) + transactions;
        soon("the load", async {
            while self.done.load(Ordering::SeqCst) < goal {
                self.still_sound();
                sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }

    /// Ends the work and audits it: every transaction that a worker knows to be through is there, no
    /// other is, and the count says that each happened once. Then every watch must still be alive.
    pub(crate) async fn audit(self, stores: &[ZooKeeperStore]) -> usize {
        self.still_sound();
        self.stop.store(true, Ordering::SeqCst);
        let mut acknowledged = BTreeSet::new();
        for worker in self.workers {
            acknowledged.extend(soon("a worker", worker).await.unwrap());
        }
        let counter = counter(self.dir);
        let marks = key(&format!("{}/marks", self.dir));
        for store in stores {
            let entry = until_there(|| store.get(&counter)).await.unwrap();
            let there = until_there(|| store.list(&marks)).await;
            let there: BTreeSet<String> = there.iter().map(|(name, _)| name.to_owned()).collect();
            assert_eq!(there, acknowledged, "the marks differ from what was told");
            let count = std::str::from_utf8(&entry.value).unwrap();
            assert_eq!(count, acknowledged.len().to_string());
        }
        let entry = until_there(|| stores[0].get(&counter)).await.unwrap();
        let end = Txn::new().update(counter.clone(), entry.version, "end");
        stores[0].commit(end).await.unwrap();
        for watcher in self.watchers {
            soon("a watch", watcher).await.unwrap();
        }
        acknowledged.len()
    }

    fn still_sound(&self) {
        let fallen = self.workers.iter().any(JoinHandle::is_finished)
            || self.watchers.iter().any(JoinHandle::is_finished);
        assert!(!fallen, "a worker or a watcher has ended, see above");
    }
}

fn counter(dir: &str) -> Key {
    key(&format!("{dir}/counter"))
}

/// Follows the counter: it must never go back, and the watch must live until the end.
async fn never_back(store: ZooKeeperStore, counter: Key) {
    let name = counter.name().to_owned();
    let mut watch = store.watch(Scope::Entry(counter));
    let mut last = 0;
    while let Some(item) = watch.next().await {
        let Ok(snapshot) = item else { continue };
        let entry = snapshot.get(&name).expect("the counter is never deleted");
        let value = std::str::from_utf8(&entry.value).unwrap();
        if value == "end" {
            return;
        }
        let value: u64 = value.parse().unwrap();
        assert!(value >= last, "the watch went back from {last} to {value}");
        last = value;
    }
    panic!("the watch ended before the store");
}

struct Worker {
    name: String,
    dir: &'static str,
    store: ZooKeeperStore,
    done: Arc<AtomicUsize>,
}

impl Worker {
    async fn run(self, stop: Arc<AtomicBool>) -> BTreeSet<String> {
        let mut through = BTreeSet::new();
        while !stop.load(Ordering::SeqCst) {
            let mark = format!("{}-{}", self.name, through.len());
            soon("a transaction", self.count(&mark)).await;
            through.insert(mark);
            self.done.fetch_add(1, Ordering::SeqCst);
        }
        through
    }

    /// Counts one up, exactly once.
    async fn count(&self, mark: &str) {
        let mark = key(&format!("{}/marks/{mark}", self.dir));
        loop {
            let counter = counter(self.dir);
            let entry = until_there(|| self.store.get(&counter)).await.unwrap();
            let count: u64 = std::str::from_utf8(&entry.value).unwrap().parse().unwrap();
            let txn = Txn::new()
                .update(counter, entry.version, (count + 1).to_string())
                .create(mark.clone(), "");
            let Err(error) = self.store.commit(txn).await else {
                return;
            };
            match error.kind() {
                StoreErrorKind::Conflict => {}
                StoreErrorKind::Unavailable => sleep(Duration::from_millis(10)).await,
                StoreErrorKind::Indeterminate => {
                    if until_there(|| self.store.get(&mark)).await.is_some() {
                        return;
                    }
                }
                _ => panic!("{error}"),
            }
        }
    }
}
