//! A store through which a master dies at a commit of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use helios_core::store::{Entry, Key, Scope, Snapshot, Store, StoreError, Txn};
use tokio::sync::Notify;

/// The store of a master that dies at its `n`-th commit: it hears nothing of it, whether it was made or not.
#[derive(Clone, Debug)]
pub(crate) struct DyingStore {
    inner: Arc<dyn Store>,
    left: Arc<AtomicI64>,
    commits_last: bool,
    pub(crate) died: Arc<Notify>,
}

impl DyingStore {
    pub(crate) fn new(inner: Arc<dyn Store>, commits: i64, commits_last: bool) -> Self {
        Self {
            inner,
            left: Arc::new(AtomicI64::new(commits)),
            commits_last,
            died: Arc::default(),
        }
    }
}

#[async_trait]
impl Store for DyingStore {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        self.inner.get(key).await
    }

    async fn list(&self, dir: &Key) -> Result<Snapshot, StoreError> {
        self.inner.list(dir).await
    }

    async fn commit(&self, txn: Txn) -> Result<(), StoreError> {
        let left = self.left.fetch_sub(1, Ordering::SeqCst);
        if left > 1 {
            return self.inner.commit(txn).await;
        }
        if left == 1 && self.commits_last {
            self.inner.commit(txn).await?;
        }
        self.died.notify_one();
        std::future::pending().await
    }

    fn watch(&self, scope: Scope) -> BoxStream<'static, Result<Snapshot, StoreError>> {
        self.inner.watch(scope)
    }
}
