//! Which places are watched through this handle.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use helios_core::store::{Scope, StoreErrorKind};

use super::calls::Calls;
use super::fault::Fault;
use super::follower::Follower;
use super::view::{View, Watcher};

/// The most bytes of watched paths in one session. Beyond 128 KiB the client cannot tell the servers of
/// its watches after a reconnect any more, and would lose the session.
const PATH_BYTES_MAX: usize = 100 * 1024;

/// The watched places; watchers of one place share one watch and one picture.
#[derive(Debug)]
pub(super) struct Views {
    calls: Arc<Calls>,
    open: Mutex<BTreeMap<Scope, Arc<View>>>,
}

impl Views {
    pub(super) fn new(calls: Arc<Calls>) -> Self {
        Self {
            calls,
            open: Mutex::default(),
        }
    }

    /// Begins to watch `scope`, or joins those who do.
    ///
    /// # Errors
    /// `LimitExceeded` when too much is watched already.
    pub(super) fn join(self: &Arc<Self>, scope: &Scope) -> Result<Watcher, Fault> {
        let mut open = self.lock();
        if let Some(view) = open.get(scope) {
            return Ok(view.join());
        }
        let watched: usize = open.keys().map(|scope| self.path_bytes(scope)).sum();
        if watched + self.path_bytes(scope) > PATH_BYTES_MAX {
            let message = format!(
                "{} cannot be watched too: the paths watched through one handle may have \
                 {PATH_BYTES_MAX} bytes, watch directories instead of single entries",
                scope.key()
            );
            return Err(Fault::new(StoreErrorKind::LimitExceeded, message));
        }
        let view = Arc::new(View::new());
        let watcher = view.join();
        open.insert(scope.clone(), Arc::clone(&view));
        tokio::spawn(Arc::clone(self).follow(scope.clone(), view));
        Ok(watcher)
    }

    /// Follows until nobody watches or the store is closed.
    async fn follow(self: Arc<Self>, scope: Scope, view: Arc<View>) {
        let calls = Arc::clone(&self.calls);
        let mut follower = Follower::new(Arc::clone(&calls), scope.clone(), Arc::clone(&view));
        loop {
            let closed = tokio::select! {
                () = calls.closed() => true,
                () = view.abandoned() => false,
                never = follower.run() => match never {},
            };
            follower.disarm();
            let mut open = self.lock();
            if closed || !view.has_watchers() {
                open.remove(&scope);
                return;
            }
        }
    }

    fn path_bytes(&self, scope: &Scope) -> usize {
        let chroot = self.calls.options.address.chroot();
        chroot.as_str().len() + scope.key().as_str().len() + 2
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Scope, Arc<View>>> {
        // Nothing panics while it is held; if it ever does, the map is still whole.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
