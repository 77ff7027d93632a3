//! The bugs that only a watch shows.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use helios_core::Store;
use helios_core::store::{Entry, Scope, Snapshot, StoreError, StoreErrorKind};
use helios_store::MemoryStore;
use tokio::sync::mpsc;

use super::planted::{Bug, Shared};

type Items = BoxStream<'static, Result<Snapshot, StoreError>>;

/// A watch of `scope` that serves `items`, and has the bug if it is one of watches.
pub(super) fn with_bug(bug: Bug, shared: &Arc<Shared>, scope: Scope, items: Items) -> Items {
    match bug {
        Bug::StaleFirstSnapshot => stream::iter([Ok(Snapshot::new())]).chain(items).boxed(),
        Bug::NothingIsNoSnapshot => items
            .skip_while(|item| {
                let nothing = item.as_ref().is_ok_and(Snapshot::is_empty);
                std::future::ready(nothing)
            })
            .boxed(),
        Bug::WatchStops => items.take(3).chain(stream::pending()).boxed(),
        Bug::LastOfABurstSkipped => throttled(items),
        Bug::OnlyFirstWatchServed => first_only(shared, scope, items),
        Bug::WatchDiesWithTheEntry => until_gone(items),
        Bug::SnapshotsGoBack => with_repeats(items),
        Bug::SnapshotsCopied => items.map(|item| item.map(|s| copied(&s))).boxed(),
        Bug::ErrorEndsTheStream => until_trouble(shared, items),
        Bug::NewestDroppedWhenFull => shared.queues.follow(scope, items),
        Bug::CommitsAwaitReaders => shared.readers.follow(items),
        _ => items,
    }
}

/// Serves one item and drops the one after it.
fn throttled(items: Items) -> Items {
    items
        .enumerate()
        .filter(|(n, _)| std::future::ready(n.is_multiple_of(2)))
        .map(|(_, item)| item)
        .boxed()
}

/// Serves every watch but the first of a scope with the first item alone.
fn first_only(shared: &Shared, scope: Scope, items: Items) -> Items {
    if shared.watched.lock().unwrap().insert(scope) {
        return items;
    }
    items.take(1).chain(stream::pending()).boxed()
}

/// Serves until the scope was there and is empty again.
fn until_gone(items: Items) -> Items {
    let served = items.scan((false, false), |(there, gone), item| {
        let empty = item.as_ref().is_ok_and(Snapshot::is_empty);
        let over = *gone;
        *gone = *there && empty;
        *there |= !empty;
        std::future::ready((!over).then_some(item))
    });
    served.chain(stream::pending()).boxed()
}

/// Serves the first item again after every other one.
fn with_repeats(items: Items) -> Items {
    let with_first = items.enumerate().scan(None, |first, (n, item)| {
        let snapshot = item.unwrap();
        let first = first.get_or_insert_with(|| snapshot.clone()).clone();
        let again = (n % 2 == 1).then_some(Ok(first));
        std::future::ready(Some([Some(Ok(snapshot)), again]))
    });
    with_first
        .flat_map(|items| stream::iter(items.into_iter().flatten()))
        .boxed()
}

fn copied(snapshot: &Snapshot) -> Snapshot {
    let entries = snapshot.iter().map(|(name, entry)| {
        let value = Bytes::copy_from_slice(&entry.value);
        (name, Entry { value, ..*entry })
    });
    entries.collect()
}

/// Reports trouble and ends there.
fn until_trouble(shared: &Shared, items: Items) -> Items {
    let mut trouble = shared.trouble.subscribe();
    let over = async move {
        let _ = trouble.changed().await;
    };
    let report = StoreError::new(StoreErrorKind::Unavailable, "the connection was lost");
    items
        .take_until(over)
        .chain(stream::iter([Err(report)]))
        .boxed()
}

/// Every watch has room for two snapshots; what does not fit is dropped.
#[derive(Default)]
pub(super) struct Queues(Mutex<Vec<(Scope, mpsc::Sender<Snapshot>)>>);

impl Queues {
    fn follow(&self, scope: Scope, items: Items) -> Items {
        let (queue, mut queued) = mpsc::channel(2);
        self.0.lock().unwrap().push((scope, queue));
        let later = stream::poll_fn(move |cx| queued.poll_recv(cx).map(|item| item.map(Ok)));
        items.take(1).chain(later).boxed()
    }

    pub(super) async fn push(&self, store: &MemoryStore) {
        let queues = self.0.lock().unwrap().clone();
        for (scope, queue) in queues {
            if let Some(Ok(present)) = store.watch(scope).next().await {
                let _ = queue.try_send(present);
            }
        }
    }
}

/// The open watches, and whether each has looked since the last commit.
#[derive(Default)]
pub(super) struct Readers(Mutex<Vec<Weak<AtomicBool>>>);

impl Readers {
    fn follow(&self, items: Items) -> Items {
        let looked = Arc::new(AtomicBool::new(false));
        self.0.lock().unwrap().push(Arc::downgrade(&looked));
        items
            .inspect(move |_| looked.store(true, Ordering::Relaxed))
            .boxed()
    }

    pub(super) async fn all_have_looked(&self) {
        let readers = self.0.lock().unwrap().clone();
        for reader in readers {
            while reader
                .upgrade()
                .is_some_and(|looked| !looked.load(Ordering::Relaxed))
            {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
}
