//! What a case works with: every step has a deadline and fails with the name of the guarantee.

use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use helios_core::store::{Entry, Key, Scope, Snapshot, StoreError, StoreErrorKind, Txn, Version};

use super::{Session, StoreHarness};

/// One run of one case.
pub(super) struct Trial {
    harness: Box<dyn StoreHarness>,
    root: Key,
    judge: Judge,
}

/// Says what went wrong, and for how long it was waited.
#[derive(Clone, Copy)]
pub(super) struct Judge {
    case: &'static str,
    patience: Duration,
}

/// A handle of the tree under test.
#[derive(Clone)]
pub(super) struct Handle {
    session: Arc<Session>,
    judge: Judge,
}

/// An open watch; items that report trouble are passed over.
pub(super) struct Watch {
    items: BoxStream<'static, Result<Snapshot, StoreError>>,
    judge: Judge,
}

impl Trial {
    pub(super) fn new(case: &'static str, harness: impl StoreHarness) -> Self {
        let judge = Judge {
            case,
            patience: harness.patience(),
        };
        Self {
            root: harness.root(),
            harness: Box::new(harness),
            judge,
        }
    }

    pub(super) fn judge(&self) -> Judge {
        self.judge
    }

    /// The key of that path below the root of this case.
    pub(super) fn key(&self, path: &str) -> Key {
        path.split('/')
            .try_fold(self.root.clone(), |dir, name| dir.child(name))
            .unwrap_or_else(|error| panic!("{}: {error}", self.judge.case))
    }

    pub(super) async fn open(&self) -> Handle {
        let session = self.judge.within("a new handle", self.harness.open()).await;
        Handle {
            session: Arc::new(session),
            judge: self.judge,
        }
    }

    pub(super) async fn open_many(&self, count: usize) -> Vec<Handle> {
        let mut handles = Vec::new();
        for _ in 0..count {
            handles.push(self.open().await);
        }
        handles
    }

    /// Ends the given sessions and restarts the store.
    pub(super) async fn restart(&self, handles: Vec<Handle>) {
        for handle in handles {
            handle.end().await;
        }
        self.judge
            .within("the store after a restart", self.harness.restart())
            .await;
    }

    pub(super) async fn disturb(&self) {
        self.judge
            .within("the end of the trouble", self.harness.disturb())
            .await;
    }
}

impl Judge {
    /// Fails the case unless `holds`.
    #[track_caller]
    pub(super) fn demand(self, holds: bool, message: impl Display) {
        if !holds {
            self.fail(message);
        }
    }

    #[track_caller]
    pub(super) fn fail(self, message: impl Display) -> ! {
        panic!("{} broken ({}): {message}", self.guarantee(), self.case)
    }

    /// What `future` gives, in time.
    pub(super) async fn within<T>(self, what: &str, future: impl Future<Output = T>) -> T {
        match tokio::time::timeout(self.patience, future).await {
            Ok(value) => value,
            Err(_) => self.fail(format_args!("waited {:?} for {what}", self.patience)),
        }
    }

    /// The guarantee a case is named after: `S-07` for `s07_one_of_many_wins`.
    fn guarantee(self) -> String {
        let number = self.case.get(1..3).unwrap_or("??");
        format!("S-{number}")
    }
}

impl Handle {
    pub(super) async fn get(&self, key: &Key) -> Option<Entry> {
        let read = self.session.store().get(key);
        match self.judge.within(&format!("get {key}"), read).await {
            Ok(entry) => entry,
            Err(error) => self.judge.fail(format_args!("get {key}: {error}")),
        }
    }

    pub(super) async fn text(&self, key: &Key) -> Option<String> {
        self.get(key).await.as_ref().map(text)
    }

    /// The version of an entry that must be there.
    pub(super) async fn version(&self, key: &Key) -> Version {
        self.existing(key).await.version
    }

    /// An entry that must be there.
    pub(super) async fn existing(&self, key: &Key) -> Entry {
        match self.get(key).await {
            Some(entry) => entry,
            None => self.judge.fail(format_args!("{key} is not there")),
        }
    }

    pub(super) fn judge(&self) -> Judge {
        self.judge
    }

    pub(super) async fn list(&self, dir: &Key) -> Snapshot {
        let read = self.session.store().list(dir);
        match self.judge.within(&format!("list {dir}"), read).await {
            Ok(snapshot) => snapshot,
            Err(error) => self.judge.fail(format_args!("list {dir}: {error}")),
        }
    }

    pub(super) async fn try_commit(&self, txn: Txn) -> Result<(), StoreError> {
        self.judge
            .within("a commit", self.session.store().commit(txn))
            .await
    }

    /// A commit that must succeed.
    pub(super) async fn commit(&self, txn: Txn) {
        if let Err(error) = self.try_commit(txn).await {
            self.judge.fail(format_args!("a legal commit: {error}"));
        }
    }

    /// A commit that must be refused for that reason.
    pub(super) async fn refused(&self, txn: Txn, kind: StoreErrorKind) -> StoreError {
        match self.try_commit(txn).await {
            Err(error) if error.kind() == kind => error,
            Err(error) => self.judge.fail(format_args!(
                "{kind:?} was due, not {:?}: {error}",
                error.kind()
            )),
            Ok(()) => self.judge.fail(format_args!("{kind:?} was due, not Ok")),
        }
    }

    /// Gives an entry a value, whether it is there or not.
    pub(super) async fn put(&self, key: &Key, value: impl Display) {
        let value = value.to_string();
        let txn = match self.get(key).await {
            Some(entry) => Txn::new().update(key.clone(), entry.version, value),
            None => Txn::new().create(key.clone(), value),
        };
        self.commit(txn).await;
    }

    pub(super) async fn delete(&self, key: &Key) {
        let version = self.version(key).await;
        self.commit(Txn::new().delete(key.clone(), version)).await;
    }

    /// Waits until the entry is as `holds` wants it; what other handles do may take time to arrive.
    pub(super) async fn until(
        &self,
        key: &Key,
        what: &str,
        holds: impl Fn(Option<&Entry>) -> bool,
    ) {
        let arrive = async {
            while !holds(self.get(key).await.as_ref()) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        self.judge.within(what, arrive).await;
    }

    pub(super) fn watch(&self, scope: Scope) -> Watch {
        Watch {
            items: self.session.store().watch(scope),
            judge: self.judge,
        }
    }

    pub(super) async fn end(&self) {
        self.judge
            .within("the end of a session", self.session.end())
            .await;
    }
}

impl Watch {
    /// The next snapshot.
    pub(super) async fn next(&mut self) -> Snapshot {
        let judge = self.judge;
        let item = async {
            loop {
                match self.items.next().await {
                    Some(Ok(snapshot)) => return snapshot,
                    Some(Err(_)) => {}
                    None => judge.fail("the stream ended before the store did"),
                }
            }
        };
        judge.within("the next snapshot of a watch", item).await
    }

    /// The first snapshot that is as `holds` wants it; `what` names it.
    pub(super) async fn until(
        &mut self,
        what: &str,
        holds: impl Fn(&Snapshot) -> bool,
    ) -> Snapshot {
        let judge = self.judge;
        let arrive = async {
            loop {
                let snapshot = self.next().await;
                if holds(&snapshot) {
                    return snapshot;
                }
            }
        };
        judge.within(what, arrive).await
    }
}

/// A number that must never fall.
pub(super) struct Rising {
    judge: Judge,
    last: u64,
    repeats: u32,
}

impl Rising {
    pub(super) fn new(judge: Judge) -> Self {
        Self {
            judge,
            last: 0,
            repeats: 0,
        }
    }

    /// Takes what shows now and says whether that is `target` already.
    pub(super) fn reaches(&mut self, now: u64, target: u64) -> bool {
        let last = self.last;
        self.judge
            .demand(now >= last, format_args!("{now} showed after {last}"));
        self.repeats = if now == last { self.repeats + 1 } else { 0 };
        self.last = now;
        now >= target
    }

    /// Takes what shows now and says whether `target` has shown a few times in a row.
    pub(super) fn stays(&mut self, now: u64, target: u64) -> bool {
        self.reaches(now, target) && self.repeats > 2
    }
}

/// The value of an entry as text.
pub(super) fn text(entry: &Entry) -> String {
    String::from_utf8_lossy(&entry.value).into_owned()
}

/// The value of an entry as a number; 0 for none.
pub(super) fn number(entry: Option<&Entry>) -> u64 {
    entry.map_or(0, |entry| text(entry).parse().unwrap_or(u64::MAX))
}

/// The names and values of a snapshot, for comparing and for messages.
pub(super) fn written(snapshot: &Snapshot) -> String {
    let lines = snapshot
        .iter()
        .map(|(name, entry)| format!("{name}={}", text(entry)));
    lines.collect::<Vec<_>>().join(" ")
}
