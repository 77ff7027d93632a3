//! One actor's handle on the store, for one of its lives.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use helios_core::Store;
use helios_core::store::{Entry, Key, Op, Scope, Snapshot, StoreError, StoreErrorKind, Txn};
use tokio::time::sleep;

use super::super::trace::{Actor, Event, Fact, Outcome, What};
use super::super::world::{Life, Pace, State, Trouble, World};
use super::watch;

const PACE: Pace = Pace {
    travel: Duration::from_millis(8),
    work: Duration::from_millis(2),
    patience: Duration::from_secs(2),
    late: Duration::from_secs(3),
};

/// A commit at least this far behind is "far".
const FAR_BEHIND: u64 = 10;

/// An actor's handle on the simulated store.
pub(crate) struct SimStore {
    world: World,
    life: Arc<Life>,
}

impl SimStore {
    /// Connects to the store.
    pub(crate) fn connect(world: &World, life: &Arc<Life>) -> Self {
        world.with(|state| {
            let now = state.now;
            let mut dice = state.dice(&format!("connect {}", life.actor), u64::from(life.number));
            let behind = state
                .store
                .connect((life.actor, life.number), now, &mut dice);
            if behind >= FAR_BEHIND && life.number > 1 {
                state.sometimes("a restart onto a replica that is far behind");
            }
        });
        Self {
            world: world.clone(),
            life: Arc::clone(life),
        }
    }

    fn client(&self) -> (Actor, u32) {
        (self.life.actor, self.life.number)
    }

    /// A read: of one entry or of a directory.
    async fn read(&self, scope: Scope) -> Result<Snapshot, StoreError> {
        let client = self.client();
        self.refuse_if_cut(&scope).await?;
        let failed = |_| Err(away(&scope));
        let read = |state: &mut State| {
            if state.store.is_cut(client) {
                return Err(away(&scope));
            }
            let now = state.now;
            if state.store.lag(client, now) >= FAR_BEHIND {
                state.sometimes("a read from a replica at least 10 commits behind");
            }
            let (snapshot, zxid) = state.store.see(client, &scope, now);
            let key = scope.key().clone();
            state.record(client.0, What::Read { key, zxid });
            Ok(snapshot)
        };
        let outcome = self.world.look(&self.life, PACE, read, failed).await;
        if outcome.is_err() {
            let key = scope.key().clone();
            self.world
                .with(|state| state.record(client.0, What::ReadFailed { key }));
        }
        outcome
    }

    async fn refuse_if_cut(&self, scope: &Scope) -> Result<(), StoreError> {
        if !self.world.with(|state| state.store.is_cut(self.client())) {
            return Ok(());
        }
        self.world.still_alive(&self.life).await;
        sleep(PACE.patience).await;
        self.world.still_alive(&self.life).await;
        if !self.world.with(|state| state.store.is_cut(self.client())) {
            return Ok(());
        }
        let (actor, key) = (self.life.actor, scope.key().clone());
        self.world
            .with(|state| state.record(actor, What::ReadFailed { key }));
        Err(away(scope))
    }
}

#[async_trait]
impl Store for SimStore {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        let snapshot = self.read(Scope::Entry(key.clone())).await?;
        Ok(snapshot.get(key.name()).cloned())
    }

    async fn list(&self, dir: &Key) -> Result<Snapshot, StoreError> {
        self.read(Scope::Children(dir.clone())).await
    }

    async fn commit(&self, txn: Txn) -> Result<(), StoreError> {
        self.world.still_alive(&self.life).await;
        if let Err(error) = txn.validate() {
            if error.kind() == StoreErrorKind::LimitExceeded {
                let outcome = Outcome::Failed(Some(error.kind()));
                self.world.with(|state| {
                    state.sometimes("an oversize request was refused");
                    // It never became one, so it has no number.
                    let what = What::Reply {
                        request: 0,
                        outcome,
                    };
                    state.record(self.life.actor, what);
                });
            }
            return Err(error);
        }
        if txn.is_empty() {
            return Ok(());
        }
        let client = self.client();
        let cut = |state: &mut State| state.store.is_cut(client);
        if self.world.with(cut) {
            sleep(PACE.patience).await;
            self.world.still_alive(&self.life).await;
            if self.world.with(cut) {
                return Err(unavailable());
            }
        }
        let (request, session) = self
            .world
            .with(|state| (state.store.next_request(), state.store.session_of(client)));
        let Some(session) = session else {
            return Err(unavailable());
        };
        let apply = move |state: &mut State| commit(state, client, request, session, &txn);
        let failed = |trouble| match trouble {
            Trouble::Refused => Err(unavailable()),
            Trouble::Lost | Trouble::Late => Err(StoreError::new(
                StoreErrorKind::Indeterminate,
                "the connection was lost before the reply came",
            )),
        };
        let outcome = self.world.call(&self.life, PACE, apply, failed).await;
        self.world.with(|state| {
            let outcome = match &outcome {
                Ok(zxid) => {
                    state.store.saw(client, *zxid);
                    Outcome::Done
                }
                Err(error) if error.kind() == StoreErrorKind::Indeterminate => Outcome::Unknown,
                Err(error) => Outcome::Failed(Some(error.kind())),
            };
            state.record(client.0, What::Reply { request, outcome });
        });
        outcome.map(|_| ())
    }

    fn watch(&self, scope: Scope) -> BoxStream<'static, Result<Snapshot, StoreError>> {
        watch::watch(self.world.clone(), Arc::clone(&self.life), scope)
    }
}

/// What happens when the request arrives at the leader.
fn commit(
    state: &mut State,
    (actor, life): (Actor, u32),
    request: u64,
    session: u64,
    txn: &Txn,
) -> Result<u64, StoreError> {
    let now = state.now;
    let mut dice = state.dice("commit", request);
    if state.store.session_of((actor, life)) != Some(session) {
        state.sometimes("a session expired during a transaction");
    }
    let bytes = txn.ops().iter().map(size).sum();
    let committed = state
        .store
        .commit(session, txn, now, &mut dice)
        .inspect_err(|error| {
            let key = error.key().map(Key::as_str);
            if key.is_some_and(|key| key.starts_with("audit/")) {
                state.sometimes("an operation came a second time");
            }
            if lost_a_race(&state.events, actor, txn, error) {
                state.sometimes("two masters made the same step of a rollout at once");
            }
        })?;
    let zxid = committed.zxid;
    let what = What::Commit {
        zxid,
        request,
        bytes,
        writes: committed.writes,
    };
    state.record(actor, what);
    Ok(zxid)
}

/// Whether `txn` is a step of a rollout, and refused because another master has just made one.
fn lost_a_race(events: &[Event], actor: Actor, txn: &Txn, error: &StoreError) -> bool {
    let group = error
        .key()
        .filter(|key| key.as_str().starts_with("groups/"));
    let mut facts = txn.ops().iter().filter_map(|op| match op {
        Op::Create { key, value, .. } => Some(Fact::read(key, value)),
        _ => None,
    });
    let (true, Some(group)) = (facts.any(|fact| is_step(&fact)), group) else {
        return false;
    };
    let mut commits = events.iter().rev().filter_map(|event| {
        let What::Commit { writes, .. } = &event.what else {
            return None;
        };
        let writes_it = writes.iter().any(|write| write.key == *group);
        writes_it.then_some((event.actor, writes))
    });
    commits.next().is_some_and(|(other, writes)| {
        let by_another = matches!((other, actor), (Actor::Master(a), Actor::Master(b)) if a != b);
        by_another && writes.iter().any(|write| is_step(&write.is))
    })
}

fn is_step(fact: &Fact) -> bool {
    matches!(fact, Fact::Audit(audit) if audit.action == "roll")
}

fn size(op: &Op) -> usize {
    let value = match op {
        Op::Create { value, .. } | Op::Update { value, .. } => value.len(),
        Op::Check { .. } | Op::Delete { .. } => 0,
    };
    value + op.key().as_str().len()
}

pub(super) fn away(scope: &Scope) -> StoreError {
    let message = format!("{} was not read: there is no connection", scope.key());
    StoreError::new(StoreErrorKind::Unavailable, message).at(scope.key().clone())
}

fn unavailable() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "there is no connection")
}

impl fmt::Debug for SimStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimStore({}/{})", self.life.actor, self.life.number)
    }
}
