//! Calls that wait go together.

use std::collections::VecDeque;
use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::calls::Calls;
use super::session::Session;

/// How many requests of one kind are under way at a time. With two of them the servers work on one while the
/// other is made.
const UNDER_WAY_MAX: usize = 2;

/// The most bytes that go together; more would not be faster.
pub(super) const BYTES_MAX: usize = 256 * 1024;

/// What many callers ask for, and one request can carry.
pub(super) trait Load: fmt::Debug + Sized + Send + 'static {
    type Answer: fmt::Debug + Send + 'static;

    /// Where such calls wait.
    fn convoy(calls: &Calls) -> &Convoy<Self>;

    /// At most how many bytes it adds to a request or to the answer.
    fn bytes(&self) -> usize;

    /// Sends them as one request and answers each. A write is in the queue of the connection before this
    /// returns.
    fn send(
        calls: &Calls,
        session: &Arc<Session>,
        loads: Vec<Self>,
    ) -> impl Future<Output = Vec<Self::Answer>> + Send;

    /// One that was sent is forgotten before it was answered.
    fn forgotten(calls: &Calls);
}

/// Where calls wait for one of the requests under way to be answered, to go then as one.
///
/// What a server does for a request, and above all the `fsync` after a write, is much the same for one call
/// and for fifty. A call that comes alone is sent at once, so that nothing waits for company.
#[derive(Debug)]
pub(super) struct Convoy<L: Load>(Mutex<Waiting<L>>);

#[derive(Debug)]
struct Waiting<L: Load> {
    places: VecDeque<Place<L>>,
    /// How many have ever waited.
    numbers: u64,
    under_way: usize,
}

#[derive(Debug)]
struct Place<L: Load> {
    number: u64,
    session: Arc<Session>,
    load: L,
    answer: oneshot::Sender<L::Answer>,
}

/// What goes together.
struct Departure<L: Load> {
    session: Arc<Session>,
    loads: Vec<L>,
    answers: Vec<oneshot::Sender<L::Answer>>,
}

/// A call under way. Dropped before it was sent, it never is.
pub(super) struct Ticket<'a, L: Load> {
    calls: &'a Calls,
    number: u64,
    answer: oneshot::Receiver<L::Answer>,
    is_settled: bool,
}

impl<L: Load> Convoy<L> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Waiting {
            places: VecDeque::new(),
            numbers: 0,
            under_way: 0,
        }))
    }

    /// Joins those who wait.
    pub(super) fn join(calls: &Arc<Calls>, session: Arc<Session>, load: L) -> Ticket<'_, L> {
        let (sender, answer) = oneshot::channel();
        let mut waiting = L::convoy(calls).lock();
        waiting.numbers += 1;
        let number = waiting.numbers;
        waiting.places.push_back(Place {
            number,
            session,
            load,
            answer: sender,
        });
        if waiting.under_way < UNDER_WAY_MAX {
            waiting.under_way += 1;
            // Of nobody in particular: whoever gives up must not take the others along.
            tokio::spawn(carry::<L>(Arc::clone(calls)));
        }
        Ticket {
            calls,
            number,
            answer,
            is_settled: false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<L>> {
        // Nothing panics while it is held; if it ever does, the queue is still whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<L: Load> Waiting<L> {
    /// Takes the first one that waits, and those behind it that can go along.
    fn depart(&mut self) -> Option<Departure<L>> {
        let first = self.places.pop_front()?;
        let mut bytes = first.load.bytes();
        let mut departure = Departure {
            session: first.session,
            loads: vec![first.load],
            answers: vec![first.answer],
        };
        while let Some(next) = self.places.pop_front_if(|next| {
            bytes + next.load.bytes() <= BYTES_MAX && Arc::ptr_eq(&next.session, &departure.session)
        }) {
            bytes += next.load.bytes();
            departure.loads.push(next.load);
            departure.answers.push(next.answer);
        }
        Some(departure)
    }
}

/// Sends what waits, until nothing does.
async fn carry<L: Load>(calls: Arc<Calls>) {
    loop {
        let session;
        let (request, waiting) = {
            let mut waiting = L::convoy(&calls).lock();
            let Some(departure) = waiting.depart() else {
                waiting.under_way -= 1;
                return;
            };
            session = departure.session;
            // In the lock, so that whoever withdraws knows whether it was sent.
            (
                L::send(&calls, &session, departure.loads),
                departure.answers,
            )
        };
        let limit = calls.options.call_limit();
        let answers = timeout(limit, pin!(request)).await.unwrap_or_default();
        for (waiting, answer) in waiting.into_iter().zip(answers) {
            // In vain for whoever has given up.
            let _ = waiting.send(answer);
        }
    }
}

impl<L: Load> Ticket<'_, L> {
    /// Waits for the answer; `None` is none in time.
    pub(super) async fn answer(&mut self) -> Option<L::Answer> {
        (&mut self.answer).await.ok()
    }

    /// Nothing is open any more.
    pub(super) fn settled(mut self) {
        self.is_settled = true;
    }

    /// Whether it was still waiting, and is now never sent.
    pub(super) fn withdraw(&mut self) -> bool {
        let mut waiting = L::convoy(self.calls).lock();
        let at = (waiting.places).binary_search_by_key(&self.number, |place| place.number);
        let withdrawn = at.is_ok_and(|at| waiting.places.remove(at).is_some());
        self.is_settled |= withdrawn;
        withdrawn
    }
}

impl<L: Load> Drop for Ticket<'_, L> {
    fn drop(&mut self) {
        if !self.is_settled && !self.withdraw() {
            L::forgotten(self.calls);
        }
    }
}
