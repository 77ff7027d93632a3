//! A store behind a connection that delays, fails and forgets, all of it decided by a seed.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use helios_core::Store;
use helios_core::store::{Entry, Key, Scope, Snapshot, StoreError, StoreErrorKind, Txn};
use helios_store::MemoryStore;

use crate::invariants::Invariants;

/// What happens to a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is done, and the answer arrives.
    Done,
    /// It is done, and the answer is lost.
    AnswerLost,
    /// It never arrives.
    Lost,
    /// It arrives only after that many further calls, and the answer is lost.
    Late(u32),
    /// The connection is known to be down.
    Down,
}

/// One master's connection to the tree that all of them share.
#[derive(Debug)]
pub(crate) struct BadConnection {
    inner: MemoryStore,
    seed: u64,
    state: Mutex<State>,
    invariants: Arc<Invariants>,
}

#[derive(Debug, Default)]
struct State {
    calls: u64,
    /// What happens to the next commits; when it is empty, the seed decides.
    fates: VecDeque<Fate>,
    late: Vec<(u32, Txn)>,
}

impl BadConnection {
    /// A connection whose every call is decided by `seed`; all goes well with seed 0.
    pub(crate) fn new(inner: &MemoryStore, seed: u64, invariants: &Arc<Invariants>) -> Self {
        Self {
            inner: inner.session(),
            seed,
            state: Mutex::default(),
            invariants: Arc::clone(invariants),
        }
    }

    /// This connection, with those fates of its first commits.
    pub(crate) fn with(self, fates: impl IntoIterator<Item = Fate>) -> Self {
        self.state.lock().unwrap().fates.extend(fates);
        self
    }

    /// Delivers all that is still on the way.
    pub(crate) async fn deliver_late(&self) {
        let late = std::mem::take(&mut self.state.lock().unwrap().late);
        for (_, txn) in late {
            self.deliver(txn).await.ok();
        }
    }

    async fn deliver(&self, txn: Txn) -> Result<(), StoreError> {
        self.inner.commit(txn.clone()).await?;
        self.invariants.check(&self.inner, &txn).await;
        Ok(())
    }

    /// A number below `limit` for this call and that purpose.
    fn draw(&self, purpose: &str, limit: u64) -> u64 {
        let mut hasher = DefaultHasher::new();
        let calls = self.state.lock().unwrap().calls;
        (self.seed, calls, purpose).hash(&mut hasher);
        hasher.finish() % limit
    }

    /// Time passes, and what is late may arrive.
    async fn travel(&self) {
        let due: Vec<Txn> = {
            let mut state = self.state.lock().unwrap();
            state.calls += 1;
            let (due, late) = std::mem::take(&mut state.late)
                .into_iter()
                .map(|(calls, txn)| (calls.saturating_sub(1), txn))
                .partition(|(calls, _)| *calls == 0);
            state.late = late;
            let due: Vec<(u32, Txn)> = due;
            due.into_iter().map(|(_, txn)| txn).collect()
        };
        for txn in due {
            self.deliver(txn).await.ok();
        }
        if self.seed != 0 {
            let longest = if self.draw("slow", 8) == 0 { 400 } else { 20 };
            let millis = self.draw("delay", longest);
            tokio::time::sleep(Duration::from_millis(millis)).await;
        }
    }

    fn fate(&self) -> Fate {
        if let Some(fate) = self.state.lock().unwrap().fates.pop_front() {
            return fate;
        }
        match self.draw("fate", 20) {
            _ if self.seed == 0 => Fate::Done,
            0 => Fate::AnswerLost,
            1 => Fate::Lost,
            2 => Fate::Late(1 + self.draw("late", 8) as u32),
            3 => Fate::Down,
            _ => Fate::Done,
        }
    }
}

fn error(kind: StoreErrorKind) -> StoreError {
    StoreError::new(kind, "the connection is bad")
}

#[async_trait]
impl Store for BadConnection {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        self.travel().await;
        let answer = self.inner.get(key).await;
        self.travel().await;
        answer
    }

    async fn list(&self, dir: &Key) -> Result<Snapshot, StoreError> {
        self.travel().await;
        let answer = self.inner.list(dir).await;
        self.travel().await;
        answer
    }

    async fn commit(&self, txn: Txn) -> Result<(), StoreError> {
        txn.validate()?;
        self.travel().await;
        let fate = self.fate();
        let answer = match fate {
            Fate::Done => self.deliver(txn).await,
            Fate::AnswerLost => {
                self.deliver(txn).await.ok();
                Err(error(StoreErrorKind::Indeterminate))
            }
            Fate::Lost => Err(error(StoreErrorKind::Indeterminate)),
            Fate::Late(calls) => {
                self.state.lock().unwrap().late.push((calls, txn));
                Err(error(StoreErrorKind::Indeterminate))
            }
            Fate::Down => Err(error(StoreErrorKind::Unavailable)),
        };
        self.travel().await;
        answer
    }

    fn watch(&self, scope: Scope) -> BoxStream<'static, Result<Snapshot, StoreError>> {
        self.inner.watch(scope)
    }
}
