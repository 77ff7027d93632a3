//! One watch of the fleet for all who follow it in a process.

use std::sync::Arc;

use futures_core::stream::BoxStream;
use futures_util::stream::{self, StreamExt};
use tokio::sync::watch;

use crate::store::StoreError;

use super::{Cluster, FleetView};

/// What the one watch has shown last.
#[derive(Clone, Debug)]
pub(super) struct SharedFleet(watch::Receiver<Shown>);

/// Both with the number of the item that they came as, so that everybody gets them in their order, once.
#[derive(Debug, Default)]
struct Shown {
    items: u64,
    view: Option<(u64, FleetView)>,
    trouble: Option<(u64, Arc<StoreError>)>,
}

impl Cluster {
    /// The same cluster, whose clones share one watch of the fleet; and the future that follows it.
    ///
    /// Each [`watch_fleet`](Cluster::watch_fleet) otherwise reads and decodes the whole fleet for itself, and a
    /// master has four of them. Their streams yield what the future was shown while it is polled, and end once it is
    /// dropped; it ends by itself with its store.
    ///
    /// # Cancellation
    /// Dropping the future ends the streams.
    pub fn sharing_fleet(&self) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (sender, shown) = watch::channel(Shown::default());
        let mut views = self.watch_fleet();
        let follow = async move {
            while let Some(item) = views.next().await {
                sender.send_modify(|shown| shown.take(item));
            }
        };
        let fleet = Some(SharedFleet(shown));
        let cluster = Self {
            fleet,
            ..self.clone()
        };
        (cluster, follow)
    }
}

impl Cluster {
    /// The fleet as the one watch showed it last, if clones of this share one and it has had no trouble since.
    pub(crate) fn fleet_at_hand(&self) -> Option<FleetView> {
        let SharedFleet(shown) = self.fleet.as_ref()?;
        // Nobody watches any more once the future is dropped.
        shown.has_changed().ok()?;
        shown.borrow().at_hand()
    }
}

impl SharedFleet {
    /// The present first, then what comes after it.
    pub(super) fn follow(&self) -> BoxStream<'static, Result<FleetView, StoreError>> {
        stream::unfold((self.0.clone(), 0), |(mut shown, seen)| async move {
            loop {
                let next = shown.borrow_and_update().after(seen);
                if let Some((number, item)) = next {
                    return Some((item, (shown, number)));
                }
                shown.changed().await.ok()?;
            }
        })
        .boxed()
    }
}

impl Shown {
    fn take(&mut self, item: Result<FleetView, StoreError>) {
        self.items += 1;
        match item {
            Ok(view) => self.view = Some((self.items, view)),
            Err(error) => self.trouble = Some((self.items, Arc::new(error))),
        }
    }

    fn at_hand(&self) -> Option<FleetView> {
        let (number, view) = self.view.as_ref()?;
        let trouble = self.trouble.as_ref().map(|(number, _)| number);
        (trouble < Some(number)).then(|| view.clone())
    }

    /// The first that came after that many items.
    fn after(&self, seen: u64) -> Option<(u64, Result<FleetView, StoreError>)> {
        let view = self.view.iter();
        let view = view.map(|(number, view)| (*number, Ok(view.clone())));
        let trouble = self.trouble.iter().map(|(number, error)| {
            let shared = StoreError::new(error.kind(), "the watch of the fleet has trouble");
            (*number, Err(shared.caused_by(Arc::clone(error))))
        });
        let unseen = view.chain(trouble).filter(|(number, _)| *number > seen);
        unseen.min_by_key(|(number, _)| *number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreErrorKind;

    fn trouble() -> Result<FleetView, StoreError> {
        let error = StoreError::new(StoreErrorKind::Unavailable, "gone");
        Err(error)
    }

    /// Everything there is to see after so many items.
    fn seen_after(shown: &Shown, mut seen: u64) -> Vec<bool> {
        std::iter::from_fn(|| {
            let (number, item) = shown.after(seen)?;
            seen = number;
            Some(item.is_ok())
        })
        .collect()
    }

    #[test]
    fn the_latest_view_and_the_latest_trouble_come_in_their_order_and_once() {
        let mut shown = Shown::default();
        assert!(seen_after(&shown, 0).is_empty());
        for item in [Ok(FleetView::default()), trouble()] {
            shown.take(item);
        }
        assert_eq!(seen_after(&shown, 0), [true, false]);
        assert!(shown.at_hand().is_none(), "it may be old");
        assert_eq!(seen_after(&shown, 1), [false]);
        shown.take(Ok(FleetView::default()));
        assert_eq!(seen_after(&shown, 1), [false, true]);
        assert!(shown.at_hand().is_some());
        assert_eq!(seen_after(&shown, 2), [true]);
        assert!(seen_after(&shown, 3).is_empty());
    }
}
