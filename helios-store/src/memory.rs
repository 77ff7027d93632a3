//! A store that lives as long as its handles.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use helios_core::Store;
use helios_core::store::{Entry, Key, Scope, Snapshot, StoreError, Txn};

use crate::board::Board;
use crate::tree::SessionId;

/// A [`Store`] in memory: for tests, simulations and programs that need no memory of yesterday.
///
/// A clone is the same handle with the same session; [`session`](Self::session) gives a further handle of
/// the same tree with a session of its own. A session ends when its last clone is dropped, or by
/// [`close`](Self::close), and takes its ephemeral entries with it. The tree, and every watch of it, ends with the
/// last handle.
///
/// A commit costs what it changes, not what is there: the tree is a persistent map, a snapshot of a
/// directory shares it, and a commit wakes only the watches it concerns. Each entry counts its own versions,
/// so that one created anew repeats old versions, as the contract allows.
///
/// ```
/// use helios_core::Store;
/// use helios_core::store::{Key, Txn};
/// use helios_store::MemoryStore;
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let master = MemoryStore::new();
/// let agent = master.session();
/// let up = Key::new("up/web1")?;
/// agent.commit(Txn::new().create_ephemeral(up.clone(), "agent 7")).await?;
/// assert!(master.get(&up).await?.is_some());
///
/// drop(agent);
/// assert!(master.get(&up).await?.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    session: Arc<Session>,
}

/// Ends with the last handle that holds it.
struct Session {
    id: SessionId,
    board: Arc<Board>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::on(Arc::new(Board::default()))
    }

    /// A further handle of the same tree, with a session of its own.
    #[must_use]
    pub fn session(&self) -> Self {
        Self::on(Arc::clone(&self.session.board))
    }

    /// Ends the session of this handle and of its clones now, and removes its ephemeral entries.
    ///
    /// Whatever is asked of these handles afterwards is `Unavailable`; watches go on, and other sessions do not
    /// notice. Closing twice is harmless.
    pub fn close(&self) {
        self.session.end();
    }

    fn on(board: Arc<Board>) -> Self {
        let id = SessionId::unused();
        board.edit(|tree| {
            tree.open_session(id);
            Vec::new()
        });
        Self {
            session: Arc::new(Session { id, board }),
        }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("session", &self.session.id)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        let Session { id, board } = &*self.session;
        board.read(|tree| {
            tree.check_session(*id)?;
            Ok(tree.get(key).cloned())
        })
    }

    async fn list(&self, dir: &Key) -> Result<Snapshot, StoreError> {
        let Session { id, board } = &*self.session;
        board.read(|tree| {
            tree.check_session(*id)?;
            Ok(tree.list(dir))
        })
    }

    async fn commit(&self, txn: Txn) -> Result<(), StoreError> {
        let Session { id, board } = &*self.session;
        board.commit(&txn, *id)
    }

    fn watch(&self, scope: Scope) -> BoxStream<'static, Result<Snapshot, StoreError>> {
        self.session.board.watch(scope)
    }
}

impl Session {
    fn end(&self) {
        self.board.edit(|tree| tree.end_session(self.id));
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.end();
    }
}
