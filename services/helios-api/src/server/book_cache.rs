//! All variables, kept at hand.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::OptionFuture;
use helios_core::cluster::Cluster;
use helios_core::store::StoreError;
use helios_rollout::drive::{Book, Variables};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long an answer to a change waits until reads show it.
const SHOWN_WITHIN: Duration = Duration::from_secs(1);

/// All variables as the watch of the store last showed them.
///
/// Also while the watch has trouble: an answer says how new each value is, so that an old one does no harm, and hosts that ask every few
/// seconds must not all be sent to a store that is in trouble.
#[derive(Clone, Debug)]
pub(super) struct BookCache {
    pub(super) variables: Variables,
    seen: watch::Receiver<Option<Arc<Book>>>,
}

impl BookCache {
    /// Follows the variables in a task that ends with the last clone of this.
    pub(super) fn follow(cluster: &Cluster) -> Self {
        let variables = Variables::on(cluster.clone());
        let (sender, seen) = watch::channel(None);
        tokio::spawn(follow(variables.clone(), sender));
        Self { variables, seen }
    }

    /// All variables now, as far as the store has told.
    pub(super) async fn book(&self) -> Result<Arc<Book>, StoreError> {
        let known = self.seen.borrow().clone();
        match known {
            Some(book) => Ok(book),
            None => self.variables.read().await.map(Arc::new),
        }
    }

    /// Waits until reads show at least what the store has of a variable now, but not for long.
    pub(super) async fn shows(&self, name: &str) {
        let stored = self.variables.ledger(name).await.ok().flatten();
        let wanted = stored.map(|ledger| ledger.record().changes);
        let shown = |book: &Option<Arc<Book>>| {
            let ledger = book.as_ref().and_then(|book| book.ledgers.get(name));
            ledger.map(|ledger| ledger.record().changes) >= wanted
        };
        let mut seen = self.seen.clone();
        let wait = OptionFuture::from(wanted.map(|_| seen.wait_for(shown)));
        if timeout(SHOWN_WITHIN, wait).await.is_err() {
            tracing::debug!("a change of variable {name} is not shown yet");
        }
    }
}

async fn follow(variables: Variables, sender: watch::Sender<Option<Arc<Book>>>) {
    let mut books = variables.watch();
    loop {
        let item = tokio::select! {
            () = sender.closed() => return,
            item = books.next() => item,
        };
        match item {
            Some(Ok(book)) => drop(sender.send_replace(Some(Arc::new(book)))),
            Some(Err(error)) => {
                tracing::warn!(%error, "the watch of the variables has trouble");
            }
            None => return,
        }
    }
}
