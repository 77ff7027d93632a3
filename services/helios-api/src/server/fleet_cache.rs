//! The whole cluster, kept at hand.

use std::time::Duration;

use futures_util::StreamExt;
use helios_core::cluster::{Cluster, FleetView};
use helios_core::store::StoreError;
use tokio::sync::watch;
use tokio::time::timeout;

/// How long an answer to a change waits until reads show it.
const SHOWN_WITHIN: Duration = Duration::from_secs(1);

/// The whole cluster as the watch of its store last showed it.
///
/// Reads are served from here and cost the store nothing, however many hosts there are. While the watch
/// has trouble, they go to the store itself instead of showing what may be old.
#[derive(Clone, Debug)]
pub(super) struct FleetCache {
    cluster: Cluster,
    seen: watch::Receiver<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    view: Option<FleetView>,
    /// Whether the watch has had trouble since that view.
    trouble: bool,
}

impl FleetCache {
    /// Follows the cluster in a task that ends with the last clone of this.
    pub(super) fn follow(cluster: &Cluster) -> Self {
        let (sender, seen) = watch::channel(Seen::default());
        tokio::spawn(follow(cluster.clone(), sender));
        let cluster = cluster.clone();
        Self { cluster, seen }
    }

    /// The cluster now, as far as the store has told.
    pub(super) async fn view(&self) -> Result<FleetView, StoreError> {
        match self.at_hand() {
            Some(view) => Ok(view),
            None => self.cluster.fleet().await,
        }
    }

    fn at_hand(&self) -> Option<FleetView> {
        let followed = self.seen.has_changed().is_ok();
        let seen = self.seen.borrow();
        seen.view.clone().filter(|_| followed && !seen.trouble)
    }

    /// Waits until reads show a change that was just made, so that whoever made it sees it. Gives up after
    /// a second: somebody else may have changed it again.
    pub(super) async fn shows(&self, made: impl Fn(&FleetView) -> bool) {
        let mut seen = self.seen.clone();
        let shown = seen.wait_for(|seen| seen.trouble || seen.view.as_ref().is_none_or(&made));
        if timeout(SHOWN_WITHIN, shown).await.is_err() {
            tracing::debug!("a change is not shown yet, or was undone");
        }
    }
}

async fn follow(cluster: Cluster, sender: watch::Sender<Seen>) {
    let mut views = cluster.watch_fleet();
    loop {
        let item = tokio::select! {
            () = sender.closed() => return,
            item = views.next() => item,
        };
        match item {
            Some(Ok(view)) => {
                let view = Some(view);
                let trouble = false;
                sender.send_replace(Seen { view, trouble });
            }
            Some(Err(error)) => {
                tracing::warn!(%error, "the watch of the cluster has trouble: reading directly");
                sender.send_modify(|seen| seen.trouble = true);
            }
            None => return,
        }
    }
}
