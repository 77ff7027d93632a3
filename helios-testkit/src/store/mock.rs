//! A store that answers as a test tells it.

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use helios_core::Store;
use helios_core::store::{Entry, Key, Scope, Snapshot, StoreError, Txn};

mockall::mock! {
    /// A [`Store`] for unit tests that need one precise answer, an error in the first place; whatever was
    /// not expected panics.
    ///
    /// Where a real store would do, use `helios_store::MemoryStore`: it keeps every guarantee.
    ///
    /// ```
    /// use helios_core::Store;
    /// use helios_core::store::{Key, StoreError, StoreErrorKind, Txn};
    /// use helios_testkit::store::MockStore;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let mut store = MockStore::new();
    /// store.expect_commit().times(1).returning(|_| {
    ///     Err(StoreError::new(StoreErrorKind::Indeterminate, "the connection broke"))
    /// });
    ///
    /// let txn = Txn::new().create(Key::new("jobs/web:1")?, "{}");
    /// let error = store.commit(txn).await.unwrap_err();
    /// assert_eq!(error.kind(), StoreErrorKind::Indeterminate);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[derive(Debug)]
    pub Store {}

    #[async_trait]
    #[deny(clippy::missing_trait_methods)]
    impl Store for Store {
        async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError>;
        async fn list(&self, dir: &Key) -> Result<Snapshot, StoreError>;
        async fn commit(&self, txn: Txn) -> Result<(), StoreError>;
        fn watch(&self, scope: Scope) -> BoxStream<'static, Result<Snapshot, StoreError>>;
    }
}
