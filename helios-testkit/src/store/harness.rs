//! What a backend does for the suite.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use helios_core::Store;
use helios_core::store::Key;

/// One tree under test, and the power over it that the suite needs.
///
/// The factory makes a harness for every case anew, inside the runtime the case runs on. A method that fails
/// panics: the case then fails with that message.
#[async_trait]
pub trait StoreHarness: Send + Sync + 'static {
    /// Opens a further handle of the tree, with a session of its own.
    async fn open(&self) -> Session;

    /// Lets happen what acknowledged commits survive according to the store's own promise (S-09): closes
    /// and reopens the database, restarts the server. A store that promises to survive nothing does nothing.
    ///
    /// The suite has ended every session before; sessions opened afterwards see the tree again.
    async fn restart(&self);

    /// Makes the kind of trouble that open watches may report as an `Err` item (S-17), such as a lost
    /// connection, and ends it again. A store that knows no such trouble does nothing.
    async fn disturb(&self);

    /// A directory below which this harness has never had an entry, at most four segments deep.
    fn root(&self) -> Key;

    /// How long a single answer, the arrival of a commit at a watch, or the end of an ephemeral entry
    /// may take. Be generous: it bounds how long a broken store hangs, and decides nothing else.
    fn patience(&self) -> Duration;
}

/// A handle of the tree under test, and the way to end its session.
pub struct Session {
    store: Arc<dyn Store>,
    end: Mutex<Option<BoxFuture<'static, ()>>>,
}

impl Session {
    /// A handle; `end` ends its session as the death of its process would, at the latest when it completes.
    pub fn new(store: impl Store, end: impl Future<Output = ()> + Send + 'static) -> Self {
        Self {
            store: Arc::new(store),
            end: Mutex::new(Some(Box::pin(end))),
        }
    }

    /// The handle.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Ends the session; once it has ended, nothing more happens.
    pub async fn end(&self) {
        let end = self
            .end
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(end) = end {
            end.await;
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
