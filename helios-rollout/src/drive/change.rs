//! Reading and changing stored variables.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use helios_core::Timestamp;
use helios_core::cluster::{Cluster, ClusterError};
use helios_core::ops::audited;
use helios_core::schema::{AuditRecord, Keys, Stamp, Versioned, encode};
use helios_core::store::{Key, StoreError, Txn};

use super::book::{read_book, read_ledger, read_whole_log};
use super::draft::{Draft, begin};
use super::error::Refused;
use super::evidence::check_queries;
use super::next::{self, Seen, way_back};
use super::pages::{Log, corrupt};
use super::{Book, BookWatch, ChangeError, Course, Ledger, Refusal, VariableRecord, roster};
use crate::audit::{Entry, Record, State};
use crate::guard::Guard;
use crate::order::Fleet;
use crate::variable::{Transition, Value, Variable, VariableError};

/// The variables of a cluster. A clone costs nothing, and is the same.
///
/// A change happens exactly once or, after an error, not at all; see [`Cluster::transact`].
#[derive(Clone, Debug)]
pub struct Variables {
    pub(super) cluster: Cluster,
    /// What was read last, so that a long log need not be read whole each time.
    seen: Arc<Mutex<Book>>,
}

/// What a variable is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The value that every host shall hold, at once.
    pub value: Value,
    /// The values it accepts from now on; `None`: as before, or any of the value's type.
    pub allowed: Option<Vec<Value>>,
    /// The changes that must not happen directly from now on; `None`: as before, or none.
    pub forbidden: Option<Vec<(Value, Value)>>,
}

/// Reads. Dropping one of these futures is harmless.
impl Variables {
    /// The variables of that cluster.
    #[must_use]
    pub fn on(cluster: Cluster) -> Self {
        Self {
            cluster,
            seen: Arc::default(),
        }
    }

    /// The same variables, whose changes are recorded as made on behalf of `principal`.
    #[must_use]
    pub fn on_behalf_of(&self, principal: &str) -> Self {
        Self {
            cluster: self.cluster.on_behalf_of(principal),
            seen: Arc::clone(&self.seen),
        }
    }

    /// The cluster they are of.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Follows all of them.
    #[must_use]
    pub fn watch(&self) -> BookWatch {
        BookWatch::new(&self.cluster)
    }

    /// All of them now.
    ///
    /// # Errors
    /// Those of the store; `Corrupt` if a log does not add up.
    pub async fn read(&self) -> Result<Book, StoreError> {
        let older = self.remembered();
        let book = read_book(&self.cluster, &older).await?;
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = book.clone();
        Ok(book)
    }

    /// One of them now.
    ///
    /// # Errors
    /// Those of the store; `Corrupt` if its log does not add up.
    pub async fn ledger(&self, name: &str) -> Result<Option<Ledger>, StoreError> {
        let Ok(key) = Keys::variable(name) else {
            return Ok(None);
        };
        let older = self.remembered().ledgers.remove(name);
        let ledger = read_ledger(&self.cluster, &key, older.as_ref()).await?;
        if let Some(ledger) = &ledger {
            self.remember(name, ledger);
        }
        Ok(ledger)
    }

    /// The log of the transition that is running, or of the last one; empty if there was none. A long one begins with a checkpoint of
    /// what is rolled up. [`replay`](crate::audit::replay) makes its decisions again.
    ///
    /// # Errors
    /// Those of the store; `Corrupt` if pages are missing, or the checkpoint is not the one that was made.
    pub async fn log(&self, name: &str) -> Result<Vec<Record>, StoreError> {
        Ok(self.whole_log(name).await?.records)
    }

    /// How many hosts held what over time in that transition, planned and actual; empty if there was none.
    ///
    /// # Errors
    /// As [`log`](Self::log); also `Corrupt` if the log does not add up.
    pub async fn course(&self, name: &str) -> Result<Course, StoreError> {
        let log = self.whole_log(name).await?;
        log.course().map_err(|error| corrupt(name, error))
    }

    async fn whole_log(&self, name: &str) -> Result<Log, StoreError> {
        match Keys::variable(name) {
            Ok(key) => read_whole_log(&self.cluster, &key).await,
            Err(_) => Ok(Log::default()),
        }
    }

    /// What would begin if the transition were started now, without starting it.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn propose(
        &self,
        name: &str,
        transition: Transition,
        guard: Option<Guard>,
    ) -> Result<State, ChangeError> {
        check_guard(guard.as_ref())?;
        let ledger = self.ledger(name).await?;
        let variable = settled(ledger.as_ref(), name).map_err(Refused::from)?;
        let fleet = self.roster().await?;
        let at = self.cluster.clock().now();
        let proposed = proposed(variable, &fleet, (transition, guard), at);
        Ok(proposed.map_err(Refused)?)
    }

    /// Notes what somebody has read already, so that it is not read again.
    pub(super) fn remember(&self, name: &str, ledger: &Ledger) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = |known: &Ledger| known.record().changes <= ledger.record().changes;
        if seen.ledgers.get(name).is_none_or(newer) {
            seen.ledgers.insert(name.to_owned(), ledger.clone());
        }
    }

    fn remembered(&self) -> Book {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.clone()
    }

    async fn roster(&self) -> Result<Fleet, ChangeError> {
        let fleet = self.cluster.fleet().await?;
        let followers = self.cluster.list(&Keys::followers()).await?;
        Ok(roster(&fleet, &followers).map_err(Refused::from)?)
    }
}

/// Changes of a variable.
///
/// # Errors
/// All of them return what they are refused for, or the errors of the store.
impl Variables {
    /// Gives every host a value at once; a variable that is not there is made.
    pub async fn set(&self, name: &str, setting: &Setting) -> Result<(), ChangeError> {
        self.change(name, |ledger, key, stamp| {
            let variable = set(ledger.and_then(Ledger::variable), name, setting)?;
            let audit = AuditRecord::new(stamp, "set variable");
            let audit = audit.detail(format!("{name} to {}", setting.value));
            Ok(settle(key, ledger, Some(variable), stamp, &audit))
        })
        .await
    }

    /// Removes a variable: hosts are told nothing of it any more, and keep what they have.
    pub async fn remove(&self, name: &str) -> Result<(), ChangeError> {
        self.change(name, |ledger, key, stamp| {
            settled(ledger, name)?;
            let audit = AuditRecord::new(stamp, "remove variable").detail(name);
            Ok(settle(key, ledger, None, stamp, &audit))
        })
        .await
    }

    /// Starts a transition over the hosts there are. The driver tells them.
    pub async fn start(
        &self,
        name: &str,
        transition: &Transition,
        guard: Option<&Guard>,
    ) -> Result<(), ChangeError> {
        check_guard(guard)?;
        let attempts = AtomicU32::new(0);
        let (attempts, plan) = (&attempts, &(transition, guard));
        let decide = |stamp: Stamp| async move {
            let key = key(name)?;
            let ledger = self.ledger(name).await?;
            let variable = settled(ledger.as_ref(), name).map_err(Refused::from)?;
            let record = ledger.as_ref().map(Ledger::record);
            let record = record.ok_or_else(|| Refused::from(gone(name)))?;
            let fleet = self.roster().await?;
            // Each attempt writes a log of its own: one that came to nothing does not count.
            let attempt = attempts.fetch_add(1, Ordering::Relaxed);
            let id = format!("{}-{attempt}", stamp.operation);
            let plan = (plan.0.clone(), plan.1.cloned());
            proposed(variable, &fleet, plan.clone(), stamp.at).map_err(Refused)?;
            let log = begin(&key, record, variable, &fleet, plan, (&stamp, &id));
            let log = log.map_err(Refused::from)?;
            for txn in log.prepare {
                self.cluster.store().commit(txn).await?;
            }
            Ok(log.finish)
        };
        self.cluster.transact(name, decide).await?;
        // What is left does no harm, and whoever rolls up this log tries again.
        drop(self.sweep(name).await);
        Ok(())
    }

    /// Stops the clock of a transition.
    pub async fn pause(&self, name: &str) -> Result<(), ChangeError> {
        self.append(name, "pause rollout", |_, _| Ok(Entry::Paused))
            .await
    }

    /// Lets the clock of a transition run again.
    pub async fn resume(&self, name: &str) -> Result<(), ChangeError> {
        self.append(name, "resume rollout", |state, _| {
            if state.held_by_guard {
                let name = name.to_owned();
                return Err(Refusal::HeldByGuard { name });
            }
            Ok(Entry::Resumed)
        })
        .await
    }

    /// Ends a transition where it is.
    pub async fn abort(&self, name: &str) -> Result<(), ChangeError> {
        self.append(name, "abort rollout", |_, _| Ok(Entry::Aborted))
            .await
    }

    /// Turns a transition round, the last told first, over that time; by default a twentieth of what the way there takes, a second to an
    /// hour. It moves at any hour, whatever the windows of the way there.
    pub async fn roll_back(&self, name: &str, over: Option<Duration>) -> Result<(), ChangeError> {
        self.append(name, "roll back rollout", |state, at| {
            let running = state
                .variable
                .running()
                .ok_or_else(|| no_transition(name))?;
            let curve = Box::new(way_back(running, at, over));
            Ok(Entry::RolledBack { curve })
        })
        .await
    }

    /// One step of the driver; returns when the next host's turn comes, as far as was known before the step.
    pub(super) async fn step(
        &self,
        name: &str,
        seen: &Seen<'_>,
    ) -> Result<Option<Timestamp>, ChangeError> {
        let wake = &Mutex::new(None);
        let decide = |stamp: Stamp| async move {
            let key = key(name)?;
            let ledger = self.ledger(name).await?;
            let Some(mut draft) = ledger.as_ref().and_then(Draft::on) else {
                return Ok(Txn::new());
            };
            // A clock that is behind another master's must not undo what that one did.
            let at = seen.at.max(draft.last_at());
            let next = next::advance(&mut draft, &Seen { at, ..*seen }).map_err(Refused::from)?;
            *wake.lock().unwrap_or_else(PoisonError::into_inner) = next;
            Ok(draft.commit(&key, &stamp, "advance rollout"))
        };
        self.cluster.transact(name, decide).await?;
        let wake = wake.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(*wake)
    }

    async fn append(
        &self,
        name: &str,
        action: &str,
        entry: impl Fn(&State, Timestamp) -> Result<Entry, Refusal>,
    ) -> Result<(), ChangeError> {
        self.change(name, |ledger, key, stamp| {
            let ledger = ledger.ok_or_else(|| gone(name))?;
            let mut draft = Draft::on(ledger).ok_or_else(|| no_transition(name))?;
            let at = stamp.at.max(draft.last_at());
            let entry = entry(draft.state(), at)?;
            draft.push(at, entry)?;
            Ok(draft.commit(key, stamp, action))
        })
        .await
    }

    async fn change(
        &self,
        name: &str,
        decide: impl Fn(Option<&Ledger>, &Key, &Stamp) -> Result<Txn, Refusal>,
    ) -> Result<(), ChangeError> {
        let decide = &decide;
        let decide = |stamp: Stamp| async move {
            let key = key(name)?;
            let ledger = self.ledger(name).await?;
            decide(ledger.as_ref(), &key, &stamp).map_err(ClusterError::Refused)
        };
        self.cluster.transact(name, decide).await.map(drop)
    }
}

pub(super) fn key(name: &str) -> Result<Key, Refused> {
    Keys::variable(name).map_err(|_| {
        let name = name.to_owned();
        VariableError::Name { name }.into()
    })
}

fn gone(name: &str) -> Refusal {
    Refusal::NoVariable {
        name: name.to_owned(),
    }
}

fn no_transition(name: &str) -> Refusal {
    let (name, wanted) = (name.to_owned(), "running");
    VariableError::NoTransition { name, wanted }.into()
}

/// A variable that is there, and on which no transition runs.
fn settled<'a>(ledger: Option<&'a Ledger>, name: &str) -> Result<&'a Variable, Refusal> {
    let variable = ledger
        .and_then(Ledger::variable)
        .ok_or_else(|| gone(name))?;
    if variable.running().is_some() {
        let name = name.to_owned();
        return Err(Refusal::Busy { name });
    }
    Ok(variable)
}

/// What would begin; a transition that concerns nobody is a mistake, and would be over at once.
fn proposed(
    variable: &Variable,
    fleet: &Fleet,
    (transition, guard): (Transition, Option<Guard>),
    at: Timestamp,
) -> Result<State, Refusal> {
    let mut state = State::new(variable.clone(), fleet.clone());
    let transition = Box::new(transition);
    state.push(at, Entry::Started { transition, guard })?;
    let strata = state.view()?.preview(at).strata;
    if strata.iter().all(|stratum| stratum.hosts == 0) {
        let name = variable.name().to_owned();
        return Err(Refusal::Nobody { name });
    }
    Ok(state)
}

fn set(known: Option<&Variable>, name: &str, setting: &Setting) -> Result<Variable, Refusal> {
    let value = setting.value.clone();
    let Some(known) = known else {
        let new = Variable::new(name, value)?;
        let new = new.allow(setting.allowed.clone().unwrap_or_default())?;
        let forbidden = setting.forbidden.iter().flatten().cloned();
        return Ok(forbidden
            .into_iter()
            .try_fold(new, |variable, (from, to)| variable.forbid(from, to))?);
    };
    let mut variable = known.clone();
    if let Some(forbidden) = &setting.forbidden {
        variable = variable.permit_all();
        for (from, to) in forbidden {
            variable = variable.forbid(from.clone(), to.clone())?;
        }
    }
    // The new list counts for the new value; what is held until now may be dropped from it.
    match &setting.allowed {
        Some(allowed) => {
            variable = variable.allow([])?;
            variable.set(value)?;
            Ok(variable.allow(allowed.iter().cloned())?)
        }
        None => {
            variable.set(value)?;
            Ok(variable)
        }
    }
}

/// The transaction that makes this the settled part.
fn settle(
    key: &Key,
    ledger: Option<&Ledger>,
    variable: Option<Variable>,
    stamp: &Stamp,
    audit: &AuditRecord,
) -> Txn {
    let seen: Option<&Versioned<VariableRecord>> = ledger.map(Ledger::record);
    let changes = seen.map_or(0, |seen| seen.changes) + 1;
    let record = VariableRecord {
        changes,
        settled_at: changes,
        variable,
        log: seen.and_then(|seen| seen.log.clone()),
        past: seen.map(|seen| seen.past.clone()).unwrap_or_default(),
    };
    let txn = match seen {
        Some(seen) => Txn::new().update(key.clone(), seen.version, encode(&record)),
        None => Txn::new().create(key.clone(), encode(&record)),
    };
    audited(txn, stamp, audit)
}

fn check_guard(guard: Option<&Guard>) -> Result<(), Refused> {
    let Some(guard) = guard else { return Ok(()) };
    guard.check()?;
    Ok(check_queries(guard)?)
}
