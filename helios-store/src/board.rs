//! The present tree, and who wants to hear of its changes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use helios_core::store::{Scope, Snapshot, StoreError, Txn};
use tokio::sync::watch;

use crate::tree::{Changed, SessionId, Tree};

/// The tree that readers see, and the watches of it.
///
/// Every change is published under one short lock, so that no watch ever sees two changes in the wrong
/// order. Only the watches of the scopes that a change touches wake up.
#[derive(Default)]
pub(crate) struct Board {
    posted: Mutex<Posted>,
}

#[derive(Default)]
struct Posted {
    tree: Tree,
    watches: BTreeMap<Scope, watch::Sender<Snapshot>>,
}

impl Board {
    /// A board that shows `tree`.
    #[cfg(feature = "file")]
    pub(crate) fn new(tree: Tree) -> Self {
        let watches = BTreeMap::new();
        Self {
            posted: Mutex::new(Posted { tree, watches }),
        }
    }

    /// Looks at the present tree; `look` must be short.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&Tree) -> T) -> T {
        look(&self.lock().tree)
    }

    /// Applies a transaction in place and tells the watches.
    ///
    /// # Errors
    /// Those of [`Tree::apply`].
    pub(crate) fn commit(&self, txn: &Txn, session: SessionId) -> Result<(), StoreError> {
        let mut posted = self.lock();
        let changed = posted.tree.apply(txn, session)?;
        posted.announce(&changed);
        Ok(())
    }

    /// Opens or ends a session and tells the watches what vanished.
    pub(crate) fn edit(&self, edit: impl FnOnce(&mut Tree) -> Vec<Changed>) {
        let mut posted = self.lock();
        let changed = edit(&mut posted.tree);
        posted.announce(&changed);
    }

    /// Shows `tree` from now on, which came about by these changes.
    #[cfg(feature = "file")]
    pub(crate) fn publish(&self, tree: Tree, changed: &[Changed]) {
        let mut posted = self.lock();
        posted.tree = tree;
        posted.announce(changed);
    }

    /// Follows `scope` for as long as this board exists.
    pub(crate) fn watch(
        self: &Arc<Self>,
        scope: Scope,
    ) -> BoxStream<'static, Result<Snapshot, StoreError>> {
        let mut receiver = self.lock().subscribe(&scope);
        receiver.mark_changed();
        let board = Arc::downgrade(self);
        let watch = Watch {
            receiver,
            _lease: Lease { board, scope },
        };
        stream::unfold(watch, |mut watch| async move {
            let snapshot = watch.next().await?;
            Some((Ok(snapshot), watch))
        })
        .fuse()
        .boxed()
    }

    fn lock(&self) -> MutexGuard<'_, Posted> {
        self.posted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Posted {
    fn subscribe(&mut self, scope: &Scope) -> watch::Receiver<Snapshot> {
        let present = || watch::Sender::new(self.tree.view(scope));
        self.watches
            .entry(scope.clone())
            .or_insert_with(present)
            .subscribe()
    }

    fn announce(&self, changed: &[Changed]) {
        if self.watches.is_empty() {
            return;
        }
        let scopes: BTreeSet<Scope> = changed
            .iter()
            .flat_map(|Changed { key, .. }| {
                let children = key.parent().map(Scope::Children);
                children.into_iter().chain([Scope::Entry(key.clone())])
            })
            .collect();
        for (scope, sender) in scopes
            .iter()
            .filter_map(|scope| self.watches.get_key_value(scope))
        {
            sender.send_replace(self.tree.view(scope));
        }
    }
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Board")
            .field("watches", &self.lock().watches.len())
            .finish_non_exhaustive()
    }
}

/// One open watch.
struct Watch {
    // Dropped first: the lease looks whether anybody is left.
    receiver: watch::Receiver<Snapshot>,
    _lease: Lease,
}

impl Watch {
    async fn next(&mut self) -> Option<Snapshot> {
        self.receiver.changed().await.ok()?;
        Some(self.receiver.borrow_and_update().clone())
    }
}

/// Frees what the board keeps for a scope when its last watch is gone.
struct Lease {
    board: Weak<Board>,
    scope: Scope,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(board) = self.board.upgrade() else {
            return;
        };
        let mut posted = board.lock();
        let watches = &mut posted.watches;
        if watches
            .get(&self.scope)
            .is_some_and(|sender| sender.receiver_count() == 0)
        {
            watches.remove(&self.scope);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use helios_core::store::Key;

    fn create(board: &Board, key: &str) {
        let session = SessionId::unused();
        board.edit(|tree| {
            tree.open_session(session);
            Vec::new()
        });
        let txn = Txn::new().create(Key::new(key).unwrap(), "");
        board.commit(&txn, session).unwrap();
    }

    #[tokio::test]
    async fn only_the_touched_scopes_wake() {
        let board = Arc::new(Board::default());
        let mut jobs = board.watch(Scope::Children(Key::new("jobs").unwrap()));
        let mut hosts = board.watch(Scope::Children(Key::new("hosts").unwrap()));
        assert!(jobs.next().await.unwrap().unwrap().is_empty());
        assert!(hosts.next().await.unwrap().unwrap().is_empty());
        create(&board, "jobs/web");
        let woken = hosts.next().now_or_never();
        assert!(woken.is_none(), "a commit in jobs woke a watch of hosts");
        assert_eq!(jobs.next().await.unwrap().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_dropped_watch_frees_its_scope() {
        let board = Arc::new(Board::default());
        let scope = Scope::Children(Key::new("jobs").unwrap());
        let first = board.watch(scope.clone());
        let second = board.watch(scope);
        drop(first);
        assert_eq!(board.lock().watches.len(), 1);
        drop(second);
        assert_eq!(board.lock().watches.len(), 0);
    }

    #[tokio::test]
    async fn a_watch_ends_with_the_board() {
        let board = Arc::new(Board::default());
        let mut watch = board.watch(Scope::Entry(Key::new("jobs").unwrap()));
        create(&board, "jobs");
        drop(board);
        assert_eq!(watch.next().await.unwrap().unwrap().len(), 1);
        assert!(watch.next().await.is_none());
        assert!(watch.next().await.is_none());
    }
}
