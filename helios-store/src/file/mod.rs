//! A durable store in a directory of one process.

mod disk;
mod failure;
mod writer;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use helios_core::Store;
use helios_core::store::{Entry, Key, Scope, Snapshot, StoreError, StoreErrorKind, Txn};
use tokio::sync::{Semaphore, mpsc, oneshot};

use self::disk::Disk;
use self::writer::{Message, Writer};
use crate::board::Board;
use crate::tree::SessionId;

/// The most commits that wait for the disk at once; further ones wait for their turn.
const COMMITS_WAITING_MAX: usize = 1024;

/// A durable [`Store`] in a directory, for one process at a time and without any server.
///
/// `Ok` from a commit means that the disk has it (`fsync`): it survives the death of the process and of the
/// machine. What waits together is written together, so many writers share the time of the disk; each
/// transaction still succeeds or fails for itself. All entries are in memory too: reads and watches never
/// touch the disk, and the store must fit in memory.
///
/// Handles, clones and sessions are as with [`MemoryStore`](crate::MemoryStore). Ephemeral entries are
/// never written: they end with their session, and the sessions of a process end with it.
///
/// When the disk fails or is full, commits are `Unavailable`, reads go on, and the next commit tries anew.
/// If it cannot even be found out what became of the last write, its commits are `Indeterminate`.
///
/// ```
/// use helios_core::Store;
/// use helios_core::store::{Key, Txn};
/// use helios_store::FileStore;
///
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path();
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let key = Key::new("jobs/web:1")?;
/// let store = FileStore::open(dir)?;
/// store.commit(Txn::new().create(key.clone(), "{}")).await?;
/// drop(store);
///
/// let store = FileStore::open(dir)?;
/// assert!(store.get(&key).await?.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct FileStore {
    session: Arc<Session>,
}

/// Ends with the last handle that holds it.
struct Session {
    id: SessionId,
    closed: AtomicBool,
    engine: Arc<Engine>,
}

/// The tree, and the thread that alone changes it; both end with the last session.
struct Engine {
    board: Arc<Board>,
    turns: Arc<Semaphore>,
    queue: mpsc::UnboundedSender<Message>,
    writer: Mutex<Option<thread::JoinHandle<()>>>,
}

impl FileStore {
    /// Opens the store in `dir`, which is made if need be.
    ///
    /// Reads and verifies everything that is stored, and blocks meanwhile: open before serving.
    ///
    /// # Errors
    /// `Unavailable` when another process, or another store in this one, has the directory open, or the disk
    /// fails; `Denied` when the file system refuses access; `Corrupt` when what is there was damaged or
    /// comes from another version: nothing was changed then.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, StoreError> {
        let (disk, tree) = Disk::open(dir.as_ref()).map_err(|failure| failure.to_error())?;
        Self::on(disk, Board::new(tree))
    }

    /// A further handle of the same tree, with a session of its own.
    #[must_use]
    pub fn session(&self) -> Self {
        Self::join(Arc::clone(&self.session.engine))
    }

    /// Ends the session of this handle and of its clones, and waits until its ephemeral entries are gone.
    ///
    /// Whatever is asked of these handles afterwards is `Unavailable`; watches go on, and other sessions do not
    /// notice. Closing twice is harmless. The directory is free for others once the last handle was dropped,
    /// which waits until all acknowledged commits are written.
    pub async fn close(&self) {
        let (done, ended) = oneshot::channel();
        self.session.end(Some(done));
        // An error means that the writer is gone and no session is left at all.
        let _ = ended.await;
    }

    fn on(disk: Disk, board: Board) -> Result<Self, StoreError> {
        let board = Arc::new(board);
        let (queue, messages) = mpsc::unbounded_channel();
        let writer = Writer::new(Arc::clone(&board), disk, messages);
        let thread = thread::Builder::new()
            .name("helios-store".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| {
                let message = "no thread for writing can be started";
                StoreError::new(StoreErrorKind::Unavailable, message).caused_by(error)
            })?;
        Ok(Self::join(Arc::new(Engine {
            board,
            turns: Arc::new(Semaphore::new(COMMITS_WAITING_MAX)),
            queue,
            writer: Mutex::new(Some(thread)),
        })))
    }

    fn join(engine: Arc<Engine>) -> Self {
        let id = SessionId::unused();
        engine.send(Message::Open(id));
        Self {
            session: Arc::new(Session {
                id,
                closed: AtomicBool::new(false),
                engine,
            }),
        }
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore")
            .field("session", &self.session.id)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for FileStore {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        let board = self.session.board()?;
        Ok(board.read(|tree| tree.get(key).cloned()))
    }

    async fn list(&self, dir: &Key) -> Result<Snapshot, StoreError> {
        let board = self.session.board()?;
        Ok(board.read(|tree| tree.list(dir)))
    }

    async fn commit(&self, txn: Txn) -> Result<(), StoreError> {
        self.session.board()?;
        txn.validate()?;
        let engine = &self.session.engine;
        let turn = Arc::clone(&engine.turns).acquire_owned().await.ok();
        let (reply, outcome) = oneshot::channel();
        let commit = Message::Commit {
            txn,
            session: self.session.id,
            reply,
            turn,
        };
        if !engine.send(commit) {
            return Err(writer_died(StoreErrorKind::Unavailable));
        }
        outcome
            .await
            .unwrap_or_else(|_| Err(writer_died(StoreErrorKind::Indeterminate)))
    }

    fn watch(&self, scope: Scope) -> BoxStream<'static, Result<Snapshot, StoreError>> {
        self.session.engine.board.watch(scope)
    }
}

fn writer_died(kind: StoreErrorKind) -> StoreError {
    let message = "the thread that writes to disk died; open the store again";
    StoreError::new(kind, message)
}

impl Session {
    /// What to read from, while the session is open.
    fn board(&self) -> Result<&Board, StoreError> {
        if self.closed.load(Ordering::Acquire) {
            let message = "the session of this handle was closed";
            return Err(StoreError::new(StoreErrorKind::Unavailable, message));
        }
        Ok(&self.engine.board)
    }

    fn end(&self, done: Option<oneshot::Sender<()>>) {
        self.closed.store(true, Ordering::Release);
        self.engine.send(Message::End(self.id, done));
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.end(None);
    }
}

impl Engine {
    /// Hands a message to the writer and says whether there is one. Whoever waits for the answer to a
    /// message that was dropped is told so.
    fn send(&self, message: Message) -> bool {
        self.queue.send(message).is_ok()
    }
}

impl Drop for Engine {
    /// Waits for the last writes, so that the directory is free when the last handle is gone.
    fn drop(&mut self) {
        self.send(Message::Stop);
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = writer.take() {
            // A writer that panicked has nothing left to wait for.
            let _ = thread.join();
        }
    }
}
