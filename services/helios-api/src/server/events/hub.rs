//! The last events, and those who wait for the next ones.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::wire::Event;

/// How many events are kept for those who come back.
const EVENTS_KEPT: usize = 8192;

/// The last events of a master, each with a number.
///
/// The numbers are this master's own: whoever comes back to another master, or to this one after it was
/// started again, is told that there is a gap.
#[derive(Debug)]
pub(in crate::server) struct EventHub {
    incarnation: u64,
    kept: Mutex<VecDeque<Arc<Event>>>,
    /// The number of the next event.
    next: watch::Sender<u64>,
}

/// How far somebody has read.
#[derive(Debug)]
pub(super) struct Reader {
    hub: Arc<EventHub>,
    next: u64,
    news: watch::Receiver<u64>,
    /// Whether it has to be told that events are missing.
    gap: bool,
}

impl EventHub {
    pub(in crate::server) fn new() -> Self {
        Self {
            incarnation: RandomState::new().build_hasher().finish(),
            kept: Mutex::default(),
            next: watch::Sender::new(0),
        }
    }

    /// Tells events to all who read.
    pub(in crate::server) fn publish(&self, events: impl IntoIterator<Item = Event>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let before = kept.len();
        kept.extend(events.into_iter().map(Arc::new));
        let added = kept.len() - before;
        let over = kept.len().saturating_sub(EVENTS_KEPT);
        kept.drain(..over);
        if added > 0 {
            // Still under the lock, so that numbers and events go together.
            self.next
                .send_modify(|next| *next = next.saturating_add(added as u64));
        }
    }

    /// Begins to read after the event of that id, or with the next one.
    pub(super) fn read_after(self: &Arc<Self>, id: Option<&str>) -> Reader {
        let news = self.next.subscribe();
        let now = *news.borrow();
        let last = id.map(|id| self.number(id));
        let (next, gap) = match last {
            None => (now, false),
            Some(Some(last)) if last < now => (last + 1, false),
            // Of another master, or of an earlier start of this one.
            Some(_) => (now, true),
        };
        Reader {
            hub: Arc::clone(self),
            next,
            news,
            gap,
        }
    }

    fn id(&self, number: u64) -> String {
        format!("{:016x}-{number}", self.incarnation)
    }

    fn number(&self, id: &str) -> Option<u64> {
        let (incarnation, number) = id.split_once('-')?;
        let own = u64::from_str_radix(incarnation, 16).ok() == Some(self.incarnation);
        number.parse().ok().filter(|_| own)
    }

    /// The event of that number; or the oldest that is kept, if that one is kept no more.
    fn get(&self, number: u64) -> Option<(u64, Arc<Event>)> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = self.next.borrow().saturating_sub(kept.len() as u64);
        let number = number.max(oldest);
        let index = usize::try_from(number - oldest).ok()?;
        Some((number, Arc::clone(kept.get(index)?)))
    }
}

impl Reader {
    /// The next event and its id; waits for it. `None` when there will be no more.
    pub(super) async fn next(&mut self) -> Option<(String, Arc<Event>)> {
        loop {
            self.news.mark_unchanged();
            if std::mem::take(&mut self.gap) {
                return Some((
                    self.hub.id(self.next.saturating_sub(1)),
                    Arc::new(Event::Gap {}),
                ));
            }
            match self.hub.get(self.next) {
                Some((number, _)) if number > self.next => {
                    // Too slow: the next ones are gone.
                    self.next = number;
                    self.gap = true;
                }
                Some((number, event)) => {
                    self.next = number + 1;
                    return Some((self.hub.id(number), event));
                }
                None => self.news.changed().await.ok()?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::NamedEvent;

    fn event(name: &str) -> Event {
        Event::Job(NamedEvent {
            name: name.to_owned(),
            gone: false,
        })
    }

    #[tokio::test]
    async fn whoever_comes_back_goes_on_where_it_was() {
        let hub = Arc::new(EventHub::new());
        hub.publish([event("before")]);
        let mut reader = hub.read_after(None);
        hub.publish([event("a"), event("b")]);
        let (id, first) = reader.next().await.unwrap();
        assert_eq!(*first, event("a"));
        let mut again = hub.read_after(Some(&id));
        assert_eq!(*again.next().await.unwrap().1, event("b"));
        assert_eq!(*reader.next().await.unwrap().1, event("b"));
    }

    #[tokio::test]
    async fn whoever_missed_something_is_told() {
        let hub = Arc::new(EventHub::new());
        hub.publish([event("a")]);
        for unknown in ["", "x", "0000000000000000-0", &hub.id(7)] {
            let mut reader = hub.read_after(Some(unknown));
            let (id, first) = reader.next().await.unwrap();
            assert_eq!(*first, Event::Gap {}, "{unknown}");
            assert!(!hub.read_after(Some(&id)).gap, "{id}");
        }
        let mut slow = hub.read_after(None);
        let many = (0..=EVENTS_KEPT).map(|number| event(&number.to_string()));
        hub.publish(many);
        assert_eq!(*slow.next().await.unwrap().1, Event::Gap {});
        assert_eq!(*slow.next().await.unwrap().1, event("1"));
    }
}
