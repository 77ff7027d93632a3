//! A store in memory with one bug in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use helios_core::Store;
use helios_core::store::{
    Entry, Key, Op, Scope, Snapshot, StoreError, StoreErrorKind, Txn, Version,
};
use helios_store::MemoryStore;
use helios_testkit::store::{Session, StoreHarness};
use tokio::sync::watch;

use super::watches::{self, Queues, Readers};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bug {
    None,
    AnyEndTakesAll,
    CheckForgotten,
    CommitsAwaitReaders,
    ConflictNamesNothing,
    ConflictSometimesOk,
    CreateOverwrites,
    DirectoriesStay,
    EmptyDirIsAnError,
    EmptyIsAbsent,
    EmptyTxnRefused,
    EndTakesByName,
    EntriesOverEntries,
    EphemeralsAreForeign,
    EphemeralsStay,
    ErrorEndsTheStream,
    LastOfABurstSkipped,
    LimitsForgotten,
    LimitsTooTight,
    ListLags,
    ListingsGoBack,
    ListsGrandchildren,
    LostUpdate,
    NeverAnswers,
    NewestDroppedWhenFull,
    NotDurable,
    NothingIsNoSnapshot,
    OkBeforeItShows,
    OnlyFirstWatchServed,
    ReadsGoBack,
    RefusalWrites,
    SecondDeleteForgotten,
    SnapshotsCopied,
    SnapshotsGoBack,
    StaleFirstSnapshot,
    TornByFailure,
    TornInTime,
    VersionReused,
    WatchDiesWithTheEntry,
    WatchStops,
}

/// The tree with the bug, as the suite sees it.
pub(super) struct Planted {
    bug: Bug,
    tree: Mutex<MemoryStore>,
    shared: Arc<Shared>,
}

/// What all handles of the tree know together.
pub(super) struct Shared {
    pub(super) readers: Readers,
    pub(super) trouble: watch::Sender<u64>,
    pub(super) watched: Mutex<BTreeSet<Scope>>,
    pub(super) queues: Queues,
    /// The first state ever committed of each entry.
    oldest: Mutex<BTreeMap<Key, Entry>>,
    /// What has been a directory once.
    directories: Mutex<BTreeSet<Key>>,
    calls: AtomicU64,
}

#[derive(Debug)]
struct Handle {
    bug: Bug,
    inner: MemoryStore,
    shared: Arc<Shared>,
    /// What this handle has created as ephemeral.
    created: Mutex<BTreeSet<Key>>,
    delayed: Mutex<Option<Txn>>,
    /// Listings as they were before the last commit of this handle.
    before: Mutex<BTreeMap<Key, Snapshot>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

impl Planted {
    pub(super) async fn with(bug: Bug) -> Self {
        Self {
            bug,
            tree: Mutex::new(MemoryStore::new()),
            shared: Arc::new(Shared {
                readers: Readers::default(),
                trouble: watch::Sender::new(0),
                watched: Mutex::default(),
                queues: Queues::default(),
                oldest: Mutex::default(),
                directories: Mutex::default(),
                calls: AtomicU64::new(0),
            }),
        }
    }
}

#[async_trait]
impl StoreHarness for Planted {
    async fn open(&self) -> Session {
        let handle = Arc::new(Handle {
            bug: self.bug,
            inner: self.tree.lock().unwrap().session(),
            shared: Arc::clone(&self.shared),
            created: Mutex::default(),
            delayed: Mutex::default(),
            before: Mutex::default(),
        });
        let ended = Arc::clone(&handle);
        Session::new(Opened(handle), async move { ended.end().await })
    }

    async fn restart(&self) {
        if self.bug == Bug::NotDurable {
            *self.tree.lock().unwrap() = MemoryStore::new();
        }
    }

    async fn disturb(&self) {
        self.shared.trouble.send_modify(|count| *count += 1);
    }

    fn root(&self) -> Key {
        Key::new("suite").unwrap()
    }

    /// Short for bugs that show as a wait: such a case fails anyway. Long where nothing should fail.
    fn patience(&self) -> Duration {
        Duration::from_secs(if self.bug == Bug::None { 30 } else { 1 })
    }
}

/// The store that the suite holds; the harness keeps the same handle to end it.
#[derive(Debug)]
struct Opened(Arc<Handle>);

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Store for Opened {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        self.0.get(key).await
    }

    async fn list(&self, dir: &Key) -> Result<Snapshot, StoreError> {
        self.0.list(dir).await
    }

    async fn commit(&self, txn: Txn) -> Result<(), StoreError> {
        self.0.commit(txn).await
    }

    fn watch(&self, scope: Scope) -> BoxStream<'static, Result<Snapshot, StoreError>> {
        let Handle {
            bug, inner, shared, ..
        } = &*self.0;
        watches::with_bug(*bug, shared, scope.clone(), inner.watch(scope))
    }
}

impl Handle {
    /// Whether it is this call's turn for a bug that shows now and then.
    fn now_and_then(&self, every: u64) -> bool {
        self.shared
            .calls
            .fetch_add(1, Ordering::Relaxed)
            .is_multiple_of(every)
    }

    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        let entry = self.inner.get(key).await?;
        Ok(match (self.bug, entry) {
            (Bug::NeverAnswers, _) => std::future::pending().await,
            (Bug::EmptyIsAbsent, Some(entry)) if entry.value.is_empty() => None,
            (Bug::ReadsGoBack, Some(_)) if self.now_and_then(3) => {
                self.shared.oldest.lock().unwrap().get(key).cloned()
            }
            (Bug::VersionReused, Some(entry)) => Some(Entry {
                version: Version::from_raw(0),
                ..entry
            }),
            (Bug::EphemeralsAreForeign, Some(entry)) => {
                let own = self.created.lock().unwrap().contains(key);
                own.then_some(entry)
            }
            (_, entry) => entry,
        })
    }

    async fn list(&self, dir: &Key) -> Result<Snapshot, StoreError> {
        let mut listed = self.inner.list(dir).await?;
        match self.bug {
            Bug::EmptyDirIsAnError if listed.is_empty() => {
                let message = format!("{dir} is not there");
                return Err(StoreError::new(StoreErrorKind::Unavailable, message));
            }
            Bug::ListsGrandchildren => {
                let below = self.inner.list(&dir.child("sub").unwrap()).await?;
                for (name, entry) in below.iter() {
                    listed.insert(name, entry.clone());
                }
            }
            Bug::ListLags => {
                let mut before = self.before.lock().unwrap();
                return Ok(before.remove(dir).unwrap_or(listed));
            }
            Bug::ListingsGoBack if self.now_and_then(3) => {
                for (key, entry) in &*self.shared.oldest.lock().unwrap() {
                    if key.parent().as_ref() == Some(dir) {
                        listed.insert(key.name(), entry.clone());
                    }
                }
            }
            _ => {}
        }
        Ok(listed)
    }

    async fn commit(&self, txn: Txn) -> Result<(), StoreError> {
        self.note(&txn).await;
        let result = self.commit_with_bug(txn).await;
        match self.bug {
            Bug::CommitsAwaitReaders => self.shared.readers.all_have_looked().await,
            Bug::NewestDroppedWhenFull => self.shared.queues.push(&self.inner).await,
            _ => {}
        }
        match (self.bug, result) {
            (Bug::ConflictNamesNothing, Err(error)) => {
                Err(StoreError::new(error.kind(), error.to_string()))
            }
            (Bug::ConflictSometimesOk, Err(error))
                if error.kind() == StoreErrorKind::Conflict && self.now_and_then(5) =>
            {
                Ok(())
            }
            (Bug::EntriesOverEntries, Err(error)) if error.kind() == StoreErrorKind::Invalid => {
                Ok(())
            }
            (Bug::LimitsForgotten, Err(error)) if error.kind() == StoreErrorKind::LimitExceeded => {
                Ok(())
            }
            (_, result) => result,
        }
    }

    /// Remembers what some of the bugs show later.
    async fn note(&self, txn: &Txn) {
        for op in txn.ops() {
            let key = op.key();
            let dir = key.parent().unwrap();
            let listed = self.inner.list(&dir).await.unwrap();
            self.before.lock().unwrap().insert(dir, listed);
            if let Op::Create {
                value, ephemeral, ..
            } = op
            {
                if *ephemeral {
                    self.created.lock().unwrap().insert(key.clone());
                }
                let (value, version) = (value.clone(), Version::from_raw(0));
                let first = Entry { value, version };
                let mut oldest = self.shared.oldest.lock().unwrap();
                oldest.entry(key.clone()).or_insert(first);
            }
        }
    }

    async fn commit_with_bug(&self, txn: Txn) -> Result<(), StoreError> {
        match self.bug {
            Bug::OkBeforeItShows => {
                let due = self.delayed.lock().unwrap().replace(txn);
                self.inner.commit(due.unwrap_or_default()).await
            }
            Bug::TornByFailure => self.one_by_one(&txn, Duration::ZERO).await,
            Bug::TornInTime => self.one_by_one(&txn, Duration::from_millis(2)).await,
            Bug::RefusalWrites => {
                let refused = self.inner.commit(txn.clone()).await;
                if refused.is_err() {
                    let first = rebuilt(txn.ops().iter().take(1));
                    let _ = self.inner.commit(first).await;
                }
                refused
            }
            Bug::LimitsTooTight if txn.ops().len() > 128 => {
                Err(StoreError::new(StoreErrorKind::LimitExceeded, "too many"))
            }
            Bug::EmptyTxnRefused if txn.is_empty() => {
                Err(StoreError::new(StoreErrorKind::Invalid, "nothing to do"))
            }
            Bug::DirectoriesStay => {
                self.refuse_directories(&txn)?;
                self.inner.commit(txn).await
            }
            _ => {
                let mut changed = Vec::new();
                for (n, op) in txn.ops().iter().enumerate() {
                    changed.extend(self.op_with_bug(n, op).await);
                }
                self.inner.commit(rebuilt(&changed)).await
            }
        }
    }

    /// The operation as the bug makes it, if it leaves anything of it.
    async fn op_with_bug(&self, n: usize, op: &Op) -> Option<Op> {
        let present = self.inner.get(op.key()).await.unwrap();
        match (self.bug, op, present) {
            (Bug::CheckForgotten, Op::Check { .. }, _) => None,
            (Bug::SecondDeleteForgotten, Op::Delete { .. }, Some(_)) if n > 0 => None,
            (Bug::EphemeralsStay, Op::Create { key, value, .. }, _) => Some(Op::Create {
                key: key.clone(),
                value: value.clone(),
                ephemeral: false,
            }),
            (Bug::CreateOverwrites, Op::Create { key, value, .. }, Some(present))
            | (
                Bug::LostUpdate | Bug::VersionReused,
                Op::Update { key, value, .. },
                Some(present),
            ) => Some(Op::Update {
                key: key.clone(),
                version: present.version,
                value: value.clone(),
            }),
            (_, op, _) => Some(op.clone()),
        }
    }

    async fn one_by_one(&self, txn: &Txn, pause: Duration) -> Result<(), StoreError> {
        for op in txn.ops() {
            self.inner.commit(rebuilt([op])).await?;
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }

    fn refuse_directories(&self, txn: &Txn) -> Result<(), StoreError> {
        let mut directories = self.shared.directories.lock().unwrap();
        for op in txn.ops() {
            if directories.contains(op.key()) {
                let message = format!("{} is a directory", op.key());
                return Err(StoreError::new(StoreErrorKind::Invalid, message));
            }
            directories.extend(std::iter::successors(op.key().parent(), Key::parent));
        }
        Ok(())
    }

    async fn end(&self) {
        let created = self.created.lock().unwrap().clone();
        self.inner.close();
        let observer = self.inner.session();
        let taken: Vec<Key> = match self.bug {
            Bug::EndTakesByName => created.into_iter().collect(),
            Bug::AnyEndTakesAll => {
                let all = self.shared.oldest.lock().unwrap();
                all.keys().cloned().collect()
            }
            _ => Vec::new(),
        };
        for key in taken {
            if let Some(entry) = observer.get(&key).await.unwrap() {
                let txn = Txn::new().delete(key, entry.version);
                observer.commit(txn).await.unwrap();
            }
        }
    }
}

/// A transaction of these operations.
fn rebuilt<'a>(ops: impl IntoIterator<Item = &'a Op>) -> Txn {
    ops.into_iter()
        .cloned()
        .fold(Txn::new(), |txn, op| match op {
            Op::Check { key, version } => txn.check(key, version),
            Op::Update {
                key,
                version,
                value,
            } => txn.update(key, version, value),
            Op::Delete { key, version } => txn.delete(key, version),
            Op::Create {
                key,
                value,
                ephemeral: true,
            } => txn.create_ephemeral(key, value),
            Op::Create {
                key,
                value,
                ephemeral: false,
            } => txn.create(key, value),
        })
}
