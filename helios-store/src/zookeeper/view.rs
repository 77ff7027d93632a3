//! What all watchers of one place share: the latest snapshot.

use std::sync::atomic::{AtomicU64, Ordering};

use futures_core::stream::BoxStream;
use futures_util::stream;
use helios_core::store::{Snapshot, StoreError};
use tokio::sync::{Notify, watch};

use super::fault::Fault;

/// The meeting point of one follower, which shows what it sees, and many watchers.
///
/// A watcher that joins must first get the present, and what this handle committed just before is part
/// of it, although the event of it may still be under way. So each joins with a ticket, and waits
/// until the follower has looked after that.
#[derive(Debug)]
pub(super) struct View {
    shown: watch::Sender<Shown>,
    tickets: AtomicU64,
    nudge: Notify,
}

#[derive(Debug, Default)]
struct Shown {
    number: u64,
    /// The last ticket that was given out before the follower looked.
    ticket: u64,
    seen: Option<Result<Snapshot, Fault>>,
}

/// A watcher's side of a view.
#[derive(Debug)]
pub(super) struct Watcher {
    shown: watch::Receiver<Shown>,
    last: u64,
    ticket: u64,
}

impl View {
    pub(super) fn new() -> Self {
        Self {
            shown: watch::Sender::default(),
            tickets: AtomicU64::new(0),
            nudge: Notify::new(),
        }
    }

    pub(super) fn join(&self) -> Watcher {
        let shown = self.shown.subscribe();
        let ticket = self.tickets.fetch_add(1, Ordering::SeqCst) + 1;
        self.nudge.notify_one();
        Watcher {
            shown,
            last: 0,
            ticket,
        }
    }

    pub(super) fn has_watchers(&self) -> bool {
        self.shown.receiver_count() > 0
    }

    /// Waits until nobody watches.
    pub(super) async fn abandoned(&self) {
        self.shown.closed().await;
    }

    /// Waits until somebody has joined.
    pub(super) async fn joined(&self) {
        self.nudge.notified().await;
    }

    /// The last ticket; what is looked at from now on is the present to its holder.
    pub(super) fn ticket(&self) -> u64 {
        self.tickets.load(Ordering::SeqCst)
    }

    /// Shows what was looked at after `ticket`; `news` says whether it differs from the last.
    pub(super) fn show(&self, snapshot: &Snapshot, ticket: u64, news: bool) {
        self.shown.send_if_modified(|shown| {
            let news = news || !matches!(shown.seen, Some(Ok(_)));
            if news {
                shown.number += 1;
                shown.seen = Some(Ok(snapshot.clone()));
            }
            let fresher = ticket > shown.ticket;
            shown.ticket = shown.ticket.max(ticket);
            news || fresher
        });
    }

    /// Shows that the place cannot be seen.
    pub(super) fn trouble(&self, fault: Fault) {
        self.shown.send_modify(|shown| {
            shown.number += 1;
            shown.seen = Some(Err(fault));
        });
    }
}

impl Watcher {
    /// The next item, or `None` when the store is closed. A dropped future loses nothing.
    async fn next(&mut self) -> Option<Result<Snapshot, StoreError>> {
        loop {
            if let Some(item) = self.take() {
                return Some(item.map_err(StoreError::from));
            }
            self.shown.changed().await.ok()?;
        }
    }

    fn take(&mut self) -> Option<Result<Snapshot, Fault>> {
        let shown = self.shown.borrow_and_update();
        if shown.number <= self.last {
            return None;
        }
        let item = shown.seen.clone()?;
        if item.is_ok() {
            if shown.ticket < self.ticket {
                return None;
            }
            self.ticket = 0;
        }
        self.last = shown.number;
        Some(item)
    }

    /// All items from here on.
    pub(super) fn into_stream(self) -> BoxStream<'static, Result<Snapshot, StoreError>> {
        Box::pin(stream::unfold(self, |mut watcher| async move {
            let item = watcher.next().await?;
            Some((item, watcher))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(names: &[&str]) -> Snapshot {
        use helios_core::store::{Entry, Version};
        let entry = Entry {
            value: bytes::Bytes::new(),
            version: Version::from_raw(1),
        };
        names.iter().map(|name| (*name, entry.clone())).collect()
    }

    #[test]
    fn a_newcomer_waits_for_a_look_at_the_present() {
        let view = View::new();
        let mut first = view.join();
        view.show(&snapshot(&["a"]), view.ticket(), true);
        assert_eq!(first.take().unwrap().unwrap().len(), 1);

        let mut second = view.join();
        assert!(second.take().is_none());
        view.show(&snapshot(&["a"]), view.ticket(), false);
        assert_eq!(second.take().unwrap().unwrap().len(), 1);
        assert!(first.take().is_none());
    }

    #[test]
    fn trouble_is_told_once_and_its_end_too() {
        let view = View::new();
        let mut watcher = view.join();
        view.trouble(Fault::unavailable("no server"));
        assert!(watcher.take().unwrap().is_err());
        assert!(watcher.take().is_none());
        view.show(&snapshot(&[]), view.ticket(), false);
        assert!(watcher.take().unwrap().is_ok());
    }

    #[test]
    fn a_slow_reader_gets_the_last_state_only() {
        let view = View::new();
        let mut watcher = view.join();
        view.show(&snapshot(&["a"]), view.ticket(), true);
        view.show(&snapshot(&["a", "b"]), view.ticket(), true);
        assert_eq!(watcher.take().unwrap().unwrap().len(), 2);
        assert!(watcher.take().is_none());
    }

    #[tokio::test]
    async fn the_stream_ends_with_the_view() {
        let view = View::new();
        let mut watcher = view.join();
        drop(view);
        assert!(watcher.next().await.is_none());
    }
}
