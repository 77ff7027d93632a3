//! Following the whole cluster.

use futures_core::stream::BoxStream;
use futures_util::future::{ready, try_join_all};
use futures_util::stream::{self, StreamExt, select_all};

use crate::store::{Scope, Snapshot, StoreError, StoreErrorKind};

use super::fleet::{FleetTracker, Part};
use super::{Cluster, FleetView};

/// How many changes that come at once make one view.
const BURST_MAX: usize = 1024;

impl Cluster {
    /// Reads the whole cluster: five directories, however many hosts there are.
    ///
    /// An entry that cannot be read is listed in [`FleetView::unreadable`], and the rest is there.
    ///
    /// # Errors
    /// When a directory cannot be listed.
    ///
    /// # Cancellation
    /// Harmless.
    pub async fn fleet(&self) -> Result<FleetView, StoreError> {
        let parts = Part::ALL.map(|part| async move {
            let snapshot = self.store.list(&part.dir()).await?;
            Ok::<_, StoreError>((part, snapshot))
        });
        let mut tracker = FleetTracker::default();
        for (part, snapshot) in try_join_all(parts).await? {
            tracker.advance(part, snapshot);
        }
        Ok(tracker.view().unwrap_or_default())
    }

    /// Follows the whole cluster: the present first, then a view at or after every change. Changes that
    /// come together make one view.
    ///
    /// Only what changed is decoded. An `Err` item reports trouble with the store and does not end the
    /// stream. Several of them in one process had better share: [`Cluster::sharing_fleet`].
    ///
    /// # Cancellation
    /// Dropping the stream ends its watches.
    pub fn watch_fleet(&self) -> BoxStream<'static, Result<FleetView, StoreError>> {
        if let Some(shared) = &self.fleet {
            return shared.follow();
        }
        let watches = Part::ALL.map(|part| {
            let watch = self.store.watch(Scope::Children(part.dir()));
            watch
                .map(move |item| item.map(|snapshot| (part, snapshot)))
                .boxed()
        });
        select_all(watches)
            .ready_chunks(BURST_MAX)
            .scan(FleetTracker::default(), |tracker, burst| {
                ready(Some(stream::iter(absorb(tracker, burst))))
            })
            .flatten()
            .boxed()
    }

    /// Waits until `holds` says so of the cluster, and yields the cluster as it was then.
    ///
    /// Trouble with the store is waited out; put a timeout around it where that can be too long.
    ///
    /// # Errors
    /// `Unavailable` when the store is closed.
    ///
    /// # Cancellation
    /// Harmless.
    pub async fn wait_until(
        &self,
        mut holds: impl FnMut(&FleetView) -> bool,
    ) -> Result<FleetView, StoreError> {
        let mut views = self.watch_fleet();
        while let Some(view) = views.next().await {
            if let Some(view) = view.ok().filter(|view| holds(view)) {
                return Ok(view);
            }
        }
        let message = "the watch of the cluster ended with its store";
        Err(StoreError::new(StoreErrorKind::Unavailable, message))
    }
}

/// What a burst of changes comes to: its troubles, and one view if anything is new.
fn absorb(
    tracker: &mut FleetTracker,
    burst: Vec<Result<(Part, Snapshot), StoreError>>,
) -> Vec<Result<FleetView, StoreError>> {
    let mut items = Vec::new();
    let mut changed = false;
    for item in burst {
        match item {
            Ok((part, snapshot)) => changed |= tracker.advance(part, snapshot),
            Err(error) => items.push(Err(error)),
        }
    }
    items.extend(tracker.view().filter(|_| changed).map(Ok));
    items
}
