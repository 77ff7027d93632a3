//! The handle.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use helios_core::store::{Entry, Key, Scope, Snapshot, Store, StoreError, Txn};
use tokio::task::JoinHandle;

use super::barrier::Barrier;
use super::calls::Calls;
use super::fault::Fault;
use super::session::{Line, Link, Supervisor};
use super::views::Views;
use super::{AclReport, ZooKeeperOptions, acl, commit, read, startup};

/// A [`Store`] in a ZooKeeper ensemble.
///
/// Clones share one session. The session ends, and its ephemeral entries go, when the last clone is
/// dropped or [closed](Self::close), or when the servers have not heard of it for the session timeout.
/// After that a new session is begun without help; ephemeral entries are for their owners to put back.
///
/// # Example
///
/// ```no_run
/// use helios_core::store::{Key, Store, Txn};
/// use helios_store::zookeeper::{ZooKeeperOptions, ZooKeeperStore};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let options = ZooKeeperOptions::new("zk://h1:2181,h2:2181,h3:2181/helios".parse()?);
/// let store = ZooKeeperStore::connect(options).await?;
/// store.commit(Txn::new().create(Key::new("jobs/web:1")?, "{}")).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ZooKeeperStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    calls: Arc<Calls>,
    views: Arc<Views>,
    line: Line,
    supervisor: JoinHandle<()>,
}

impl ZooKeeperStore {
    /// Connects, and says what is wrong if that fails: a name, the network, the ensemble, or our
    /// credentials.
    ///
    /// Must be called within a tokio runtime, which then keeps the session alive.
    ///
    /// # Errors
    /// `Unavailable` naming the step, `Denied` when the store's directory is missing and may not be
    /// made.
    ///
    /// # Cancellation
    /// A dropped future leaves nothing behind, or at most an empty directory for the store.
    pub async fn connect(options: ZooKeeperOptions) -> Result<Self, StoreError> {
        startup::check(&options).await?;
        let store = Self::start(options);
        let mut link = store.inner.line.subscribe();
        let mut first = link.borrow_and_update().clone();
        loop {
            match first {
                Link::Up(_) => return Ok(store),
                Link::Down(Some(fault)) => return Err(fault.into()),
                Link::Down(None) | Link::Closed => {}
            }
            if link.changed().await.is_err() {
                return Err(Fault::unavailable("the runtime is shutting down").into());
            }
            first = link.borrow_and_update().clone();
        }
    }

    /// Returns at once and connects when the servers can be reached; until then calls are
    /// `Unavailable` and watches say why. For whoever must live on without the store, as agents do.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn start(options: ZooKeeperOptions) -> Self {
        let barrier = Arc::new(Barrier::default());
        let line = Line::new();
        let supervisor = Supervisor::new(options.clone(), Arc::clone(&barrier), line.clone());
        let calls = Arc::new(Calls::new(options, barrier, line.subscribe()));
        let inner = Inner {
            views: Arc::new(Views::new(Arc::clone(&calls))),
            calls,
            line,
            supervisor: tokio::spawn(supervisor.run()),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Ends the session and waits until the servers know, so that ephemeral entries are gone at once
    /// and not only after the session timeout. This handle and its clones are `Unavailable` from then
    /// on, and their watches end.
    pub async fn close(&self) {
        let now = self.inner.line.subscribe().borrow().clone();
        self.inner.end();
        let Link::Up(session) = now else { return };
        let mut states = session.client.state_watcher();
        // With the last one that holds it, the session is told to end.
        drop(session);
        let limit = std::time::Duration::from_secs(2);
        // In vain when no server answers: then the session timeout does it.
        let _ = tokio::time::timeout(limit, async {
            while !states.changed().await.is_terminated() {}
        })
        .await;
    }

    /// Makes the directories that agents share and gives every node the access list of this handle's
    /// [`Access`](super::Access), which must be a master's. Safe to repeat, also while others work.
    ///
    /// # Errors
    /// `Invalid` for open access, `Denied` when a node belongs to somebody else, `Unavailable`.
    pub async fn init_acl(&self) -> Result<AclReport, StoreError> {
        acl::init(&self.inner.calls).await
    }

    /// The paths of all nodes of the store that anybody may write: none, in a guarded store.
    ///
    /// # Errors
    /// `Denied`, `Unavailable`.
    pub async fn world_writable(&self) -> Result<Vec<String>, StoreError> {
        acl::world_writable(&self.inner.calls).await
    }
}

#[async_trait]
impl Store for ZooKeeperStore {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        let found = read::entry(&self.inner.calls, key).await?;
        Ok(found.map(|found| found.entry))
    }

    async fn list(&self, dir: &Key) -> Result<Snapshot, StoreError> {
        let calls = &self.inner.calls;
        let mut names = read::names(calls, Some(dir)).await?;
        names.retain(|name| dir.child(name).is_ok());
        let found = read::entries(calls, Some(dir), &names).await?;
        let entries = names
            .into_iter()
            .zip(found)
            .filter_map(|(name, found)| Some((name, found?.entry)));
        Ok(entries.collect())
    }

    async fn commit(&self, txn: Txn) -> Result<(), StoreError> {
        commit::commit(&self.inner.calls, &txn).await
    }

    fn watch(&self, scope: Scope) -> BoxStream<'static, Result<Snapshot, StoreError>> {
        let views = Arc::downgrade(&self.inner.views);
        // Joined at the first poll, so that it need not be called within the runtime.
        stream::once(async move { join(&views, &scope) })
            .flatten()
            .boxed()
    }
}

fn join(views: &Weak<Views>, scope: &Scope) -> BoxStream<'static, Result<Snapshot, StoreError>> {
    let Some(views) = views.upgrade() else {
        return stream::empty().boxed();
    };
    match views.join(scope) {
        Ok(watcher) => watcher.into_stream(),
        // The stream stays, as the contract wants, but has nothing more to say.
        Err(fault) => stream::once(async move { Err(fault.into()) })
            .chain(stream::pending())
            .boxed(),
    }
}

impl Inner {
    fn end(&self) {
        self.supervisor.abort();
        self.line.say(Link::Closed);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.end();
    }
}
