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
pub(super) trait Batched: fmt::Debug + Sized + Send + 'static {
    type Answer: fmt::Debug + Send + 'static;

    /// Where such calls wait.
    fn batcher(calls: &Calls) -> &Batcher<Self>;

    /// At most how many bytes it adds to a request or to the answer.
    fn bytes(&self) -> usize;

    /// Sends them as one request and answers each. A write is in the queue of the connection before this
    /// returns.
    fn send(
        calls: &Calls,
        session: &Arc<Session>,
        batched: Vec<Self>,
    ) -> impl Future<Output = Vec<Self::Answer>> + Send;

    /// One that was sent is forgotten before it was answered.
    fn forgotten(calls: &Calls);
}

/// Where calls wait for one of the requests under way to be answered, to go then as one.
///
/// What a server does for a request, and above all the `fsync` after a write, is much the same for one call
/// and for fifty. A call that comes alone is sent at once, so that nothing waits for company.
#[derive(Debug)]
pub(super) struct Batcher<B: Batched>(Mutex<Waiting<B>>);

#[derive(Debug)]
struct Waiting<B: Batched> {
    places: VecDeque<Place<B>>,
    /// How many have ever waited.
    numbers: u64,
    under_way: usize,
}

#[derive(Debug)]
struct Place<B: Batched> {
    number: u64,
    session: Arc<Session>,
    what: B,
    answer: oneshot::Sender<B::Answer>,
}

/// What goes together.
struct Batch<B: Batched> {
    session: Arc<Session>,
    batched: Vec<B>,
    answers: Vec<oneshot::Sender<B::Answer>>,
}

/// A call under way. Dropped before it was sent, it never is.
pub(super) struct Pending<'a, B: Batched> {
    calls: &'a Calls,
    number: u64,
    answer: oneshot::Receiver<B::Answer>,
    is_settled: bool,
}

impl<B: Batched> Batcher<B> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Waiting {
            places: VecDeque::new(),
            numbers: 0,
            under_way: 0,
        }))
    }

    /// Joins those who wait.
    pub(super) fn join(calls: &Arc<Calls>, session: Arc<Session>, what: B) -> Pending<'_, B> {
        let (sender, answer) = oneshot::channel();
        let mut waiting = B::batcher(calls).lock();
        waiting.numbers += 1;
        let number = waiting.numbers;
        waiting.places.push_back(Place {
            number,
            session,
            what,
            answer: sender,
        });
        if waiting.under_way < UNDER_WAY_MAX {
            waiting.under_way += 1;
            // Of nobody in particular: whoever gives up must not take the others along.
            tokio::spawn(carry::<B>(Arc::clone(calls)));
        }
        Pending {
            calls,
            number,
            answer,
            is_settled: false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<B>> {
        // Nothing panics while it is held; if it ever does, the queue is still whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B: Batched> Waiting<B> {
    /// Takes the first one that waits, and those behind it that can go along.
    fn next_batch(&mut self) -> Option<Batch<B>> {
        let first = self.places.pop_front()?;
        let mut bytes = first.what.bytes();
        let mut batch = Batch {
            session: first.session,
            batched: vec![first.what],
            answers: vec![first.answer],
        };
        while let Some(next) = self.places.pop_front_if(|next| {
            bytes + next.what.bytes() <= BYTES_MAX && Arc::ptr_eq(&next.session, &batch.session)
        }) {
            bytes += next.what.bytes();
            batch.batched.push(next.what);
            batch.answers.push(next.answer);
        }
        Some(batch)
    }
}

/// Sends what waits, until nothing does.
async fn carry<B: Batched>(calls: Arc<Calls>) {
    loop {
        let session;
        let (request, waiting) = {
            let mut waiting = B::batcher(&calls).lock();
            let Some(batch) = waiting.next_batch() else {
                waiting.under_way -= 1;
                return;
            };
            session = batch.session;
            // In the lock, so that whoever withdraws knows whether it was sent.
            (B::send(&calls, &session, batch.batched), batch.answers)
        };
        let limit = calls.options.call_limit();
        let answers = timeout(limit, pin!(request)).await.unwrap_or_default();
        for (waiting, answer) in waiting.into_iter().zip(answers) {
            // In vain for whoever has given up.
            let _ = waiting.send(answer);
        }
    }
}

impl<B: Batched> Pending<'_, B> {
    /// Waits for the answer; `None` is none in time.
    pub(super) async fn answer(&mut self) -> Option<B::Answer> {
        (&mut self.answer).await.ok()
    }

    /// Nothing is open any more.
    pub(super) fn settled(mut self) {
        self.is_settled = true;
    }

    /// Whether it was still waiting, and is now never sent.
    pub(super) fn withdraw(&mut self) -> bool {
        let mut waiting = B::batcher(self.calls).lock();
        let at = (waiting.places).binary_search_by_key(&self.number, |place| place.number);
        let withdrawn = at.is_ok_and(|at| waiting.places.remove(at).is_some());
        self.is_settled |= withdrawn;
        withdrawn
    }
}

impl<B: Batched> Drop for Pending<'_, B> {
    fn drop(&mut self) {
        if !self.is_settled && !self.withdraw() {
            B::forgotten(self.calls);
        }
    }
}
