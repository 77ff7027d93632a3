//! A connection whose master dies at one of its commits.

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use helios_core::store::{Entry, Key, Scope, Snapshot, Store, StoreError, Txn};
use helios_store::MemoryStore;

/// When a master dies.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Death {
    /// Before the commit reaches the store.
    Before,
    /// After it was made, and before the master hears of it.
    After,
}

/// The store, as a master sees it that dies at its `nth` commit: from then on nothing comes back.
#[derive(Debug)]
pub(crate) struct CrashingStore {
    inner: MemoryStore,
    left: AtomicU32,
    death: Death,
}

impl CrashingStore {
    pub(crate) fn new(inner: MemoryStore, nth: u32, death: Death) -> Self {
        Self {
            inner,
            left: AtomicU32::new(nth),
            death,
        }
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }
}

#[async_trait]
impl Store for CrashingStore {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        self.inner.get(key).await
    }

    async fn list(&self, dir: &Key) -> Result<Snapshot, StoreError> {
        self.inner.list(dir).await
    }

    async fn commit(&self, txn: Txn) -> Result<(), StoreError> {
        if self.left.fetch_sub(1, Ordering::Relaxed) > 1 {
            return self.inner.commit(txn).await;
        }
        self.left.store(0, Ordering::Relaxed);
        if matches!(self.death, Death::After) {
            let _ = self.inner.commit(txn).await;
        }
        std::future::pending().await
    }

    fn watch(&self, scope: Scope) -> BoxStream<'static, Result<Snapshot, StoreError>> {
        self.inner.watch(scope)
    }
}
