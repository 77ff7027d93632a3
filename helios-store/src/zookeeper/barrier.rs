//! Reads that must not be older than what was sent before.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;
use zookeeper_client::{Client, Error};

use super::fault::{Meaning, meaning};

/// No key can have that name, so nothing ever lies there.
const NOWHERE: &str = "/@barrier";

/// Makes reads wait until the server that answers has caught up.
///
/// Within a session a server never shows less than the client has seen. Two things are outside that
/// promise: a new session, which may be with a server that lags, and a transaction whose outcome was
/// never told, which may still be under way. After either the barrier is raised, and the next read
/// first sends a write that is bound to fail. Writes of all clients pass through one order, so that
/// once the answer is here, everything sent before is decided and visible on this connection.
/// ZooKeeper's own `sync` promises less: on the leader it does not wait for proposals under way.
#[derive(Debug, Default)]
pub(super) struct Barrier {
    raised: AtomicU64,
    passed: AtomicU64,
    turn: Mutex<()>,
}

impl Barrier {
    /// Makes every read that starts from now on wait.
    pub(super) fn raise(&self) {
        self.raised.fetch_add(1, Ordering::SeqCst);
    }

    /// Raises the barrier when dropped, unless told that the outcome is known.
    pub(super) fn raise_unless_told(&self) -> Untold<'_> {
        Untold {
            barrier: self,
            told: false,
        }
    }

    /// Waits for the servers, if the barrier is raised.
    pub(super) async fn pass(&self, client: &Client) -> Result<(), Error> {
        if !self.is_raised() {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        let raised = self.raised.load(Ordering::SeqCst);
        if !self.is_raised() {
            return Ok(());
        }
        match client.delete(NOWHERE, None).await {
            Ok(()) => {}
            Err(error) if matches!(meaning(&error), Meaning::Missing | Meaning::Denied) => {}
            Err(error) => return Err(error),
        }
        self.passed.fetch_max(raised, Ordering::SeqCst);
        Ok(())
    }

    fn is_raised(&self) -> bool {
        self.passed.load(Ordering::SeqCst) < self.raised.load(Ordering::SeqCst)
    }
}

/// A transaction under way: if it is forgotten, its outcome is unknown.
#[derive(Debug)]
pub(super) struct Untold<'a> {
    barrier: &'a Barrier,
    told: bool,
}

impl Untold<'_> {
    /// The servers have told the outcome.
    pub(super) fn told(mut self) {
        self.told = true;
    }
}

impl Drop for Untold<'_> {
    fn drop(&mut self) {
        if !self.told {
            self.barrier.raise();
        }
    }
}
