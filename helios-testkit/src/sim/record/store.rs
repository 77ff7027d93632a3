//! A store, as one actor uses it.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use helios_core::Store;
use helios_core::store::{Entry, Key, Scope, Snapshot, StoreError, StoreErrorKind, Txn};

use super::super::trace::{Actor, Outcome, What};
use super::Recorder;

/// A store, as one actor uses it.
pub(super) struct RecordedStore {
    recorder: Recorder,
    actor: Actor,
    store: Arc<dyn Store>,
}

impl RecordedStore {
    pub(super) fn new(recorder: &Recorder, actor: Actor, store: Arc<dyn Store>) -> Self {
        Self {
            recorder: recorder.clone(),
            actor,
            store,
        }
    }
}

impl Recorder {
    /// An actor looked at an entry or a directory.
    async fn looked(&self, actor: Actor, scope: &Scope, look: &Result<Snapshot, StoreError>) {
        let key = scope.key();
        let Ok(snapshot) = look else {
            let key = key.clone();
            self.with(|journal| journal.record(actor, What::ReadFailed { key }));
            return;
        };
        if matches!(scope, Scope::Children(_)) {
            return; // Only masters do, and what they read is judged by what they commit.
        }
        let found = snapshot.get(key.name());
        if self.with(|journal| journal.is_news(actor, key, found)) {
            // It is being committed just now, and its maker knows the rest of it.
            let _turn = self.turn.lock().await;
            self.with(|journal| journal.saw(actor, key, found));
        } else {
            self.with(|journal| journal.saw(actor, key, found));
        }
    }
}

#[async_trait]
impl Store for RecordedStore {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        let found = self.store.get(key).await;
        let look = match &found {
            Ok(entry) => Ok(entry
                .iter()
                .map(|entry| (key.name(), entry.clone()))
                .collect()),
            Err(error) => Err(StoreError::new(error.kind(), error.to_string())),
        };
        let scope = Scope::Entry(key.clone());
        self.recorder.looked(self.actor, &scope, &look).await;
        found
    }

    async fn list(&self, dir: &Key) -> Result<Snapshot, StoreError> {
        let look = self.store.list(dir).await;
        let scope = Scope::Children(dir.clone());
        self.recorder.looked(self.actor, &scope, &look).await;
        look
    }

    async fn commit(&self, txn: Txn) -> Result<(), StoreError> {
        if txn.is_empty() {
            return self.store.commit(txn).await;
        }
        let _turn = self.recorder.turn.lock().await;
        let request = self
            .recorder
            .with(|journal| journal.begin(self.actor, &txn));
        let outcome = self.store.commit(txn).await;
        let how = match &outcome {
            Ok(()) => Outcome::Done,
            Err(error) if error.kind() == StoreErrorKind::Indeterminate => Outcome::Unknown,
            Err(error) => Outcome::Failed(Some(error.kind())),
        };
        self.recorder.with(|journal| journal.end(request, how));
        outcome
    }

    fn watch(&self, scope: Scope) -> BoxStream<'static, Result<Snapshot, StoreError>> {
        let (recorder, actor) = (self.recorder.clone(), self.actor);
        let looks = self.store.watch(scope.clone());
        looks
            .then(move |look| {
                let (recorder, scope) = (recorder.clone(), scope.clone());
                async move {
                    recorder.looked(actor, &scope, &look).await;
                    look
                }
            })
            .boxed()
    }
}

impl fmt::Debug for RecordedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordedStore({})", self.actor)
    }
}
