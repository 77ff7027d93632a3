//! Records on their way into a log.

use bytes::Bytes;
use helios_core::Timestamp;
use helios_core::ops::audited;
use helios_core::schema::{AuditRecord, Keys, Stamp, Versioned, encode};
use helios_core::store::{Key, Txn};

use super::ledger::Rollout;
use super::record::{Outcome, PAST_MAX, Past};
use super::roster::batches;
use super::{Ledger, LogHead, Page, VariableRecord};
use crate::audit::{AuditError, Entry, Record, State};
use crate::guard::Guard;
use crate::order::Fleet;
use crate::variable::{Transition, Variable};

/// From how many bytes on a page is full. Small in tests of this crate, so that logs have many.
pub(super) const PAGE_BYTES: usize = if cfg!(test) { 1024 } else { 64 * 1024 };
/// How many bytes of pages a transaction takes beside everything else.
const TXN_PAGE_BYTES: usize = 500 * 1024;

/// Records on their way into the log of a running transition.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    ledger: &'a Ledger,
    rollout: &'a Rollout,
    /// What the log will add up to.
    state: State,
    records: Vec<Record>,
    /// How many hosts held the new value when the transition was last seen running.
    told: u64,
}

impl<'a> Draft<'a> {
    /// A draft on the log of the transition that runs, if one does.
    pub(super) fn on(ledger: &'a Ledger) -> Option<Self> {
        let rollout = ledger.rollout()?;
        Some(Self {
            ledger,
            rollout,
            state: rollout.state.clone(),
            records: Vec::new(),
            told: told(&rollout.state).unwrap_or(0),
        })
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// When the last record was made.
    pub(super) fn last_at(&self) -> Timestamp {
        let last = self.rollout.last.records.last();
        last.map_or(Timestamp::default(), |record| record.at)
    }

    /// Adds an entry; a decision must have been made from [`state`](Self::state). On an error the draft is not to be used further.
    pub(super) fn push(&mut self, at: Timestamp, entry: Entry) -> Result<(), AuditError> {
        let record = self.state.push(at, entry)?;
        self.told = told(&self.state).unwrap_or(self.told);
        self.records.push(record);
        Ok(())
    }

    /// The transaction that makes it true, with the audit record of the store. Empty for an empty draft.
    pub(super) fn commit(self, key: &Key, stamp: &Stamp, action: &str) -> Txn {
        let name = key.name();
        let (Some(log), false) = (&self.ledger.record().log, self.records.is_empty()) else {
            return Txn::new();
        };
        let audit = AuditRecord::new(stamp, action).detail(name);
        let (added, last) = (self.records.len() as u64, self.records.last().cloned());
        let known = &self.rollout.last.records;
        let kept = known.iter().filter(|record| record.sequence < log.records);
        let pages = paged(kept.cloned().chain(self.records));
        let first = log.pages.saturating_sub(1);
        let count = u32::try_from(pages.len()).unwrap_or(u32::MAX);
        let mut txn = Txn::new();
        for (number, page) in (first..).zip(&pages) {
            let Ok(key) = Keys::rollout_page(name, &log.id, number) else {
                continue;
            };
            txn = if number == first {
                txn.update(key, self.rollout.last.version, encode(page))
            } else {
                txn.create(key, encode(page))
            };
        }
        let mut record = VariableRecord::clone(self.ledger.record());
        record.changes += added;
        let head = LogHead {
            pages: first + count,
            records: log.records + added,
            running: self.state.variable.running().is_some(),
            ..log.clone()
        };
        if let (false, Some(last)) = (head.running, last) {
            settle(
                &mut record,
                &self.rollout.state,
                &self.state,
                &last,
                self.told,
            );
        }
        record.log = Some(head);
        let version = self.ledger.record().version;
        audited(
            txn.update(key.clone(), version, encode(&record)),
            stamp,
            &audit,
        )
    }
}

fn told(state: &State) -> Option<u64> {
    Some(state.variable.running()?.told.len() as u64)
}

/// The transition is over: what it left is the settled part now.
fn settle(record: &mut VariableRecord, before: &State, after: &State, last: &Record, told: u64) {
    record.settled_at = record.changes;
    record.variable = Some(after.variable.clone());
    let Some(running) = before.variable.running() else {
        return;
    };
    let outcome = match (&last.entry, &running.rollback) {
        (Entry::Finished, Some(_)) => Outcome::RolledBack,
        (Entry::Finished, None) => Outcome::Finished,
        _ => Outcome::Aborted,
    };
    record.past.push(Past {
        change: running.transition.change.clone(),
        accepted: running.accepted,
        ended: last.at,
        outcome,
        told,
    });
    let surplus = record.past.len().saturating_sub(PAST_MAX);
    record.past.drain(..surplus);
}

/// A log that begins: the transactions that prepare it, and the one that makes it count.
pub(super) struct Beginning {
    pub(super) prepare: Vec<Txn>,
    pub(super) finish: Txn,
}

/// Starts a transition over that fleet, in a log called `id`.
pub(super) fn begin(
    key: &Key,
    seen: &Versioned<VariableRecord>,
    variable: &Variable,
    fleet: &Fleet,
    (transition, guard): (Transition, Option<Guard>),
    (stamp, id): (&Stamp, &str),
) -> Result<Beginning, AuditError> {
    let nobody = Fleet::new([]).map_err(|source| AuditError::Fleet {
        sequence: 0,
        source,
    })?;
    let first = State::new(variable.without_transition(), nobody).checkpoint(stamp.at);
    let mut records = vec![first];
    let mut state = crate::audit::replay(&records)?;
    let mut push = |entry| -> Result<(), AuditError> {
        records.push(state.push(stamp.at, entry)?);
        Ok(())
    };
    for joined in batches(fleet.members()) {
        let left = Vec::new();
        push(Entry::Members { joined, left })?;
    }
    push(Entry::Started {
        transition: Box::new(transition),
        guard,
    })?;
    let count = records.len() as u64;
    let pages = paged(records);
    let mut record = VariableRecord::clone(seen);
    record.log = Some(LogHead {
        id: id.to_owned(),
        from: record.changes,
        pages: u32::try_from(pages.len()).unwrap_or(u32::MAX),
        records: count,
        running: true,
        rolled_up: None,
    });
    record.changes += count;
    let keyed = (0..).zip(&pages).filter_map(|(number, page)| {
        let key = Keys::rollout_page(key.name(), id, number).ok()?;
        Some((key, encode(page)))
    });
    let mut prepare = creations(keyed);
    let txn = prepare.pop().unwrap_or_default();
    let audit = AuditRecord::new(stamp, "start rollout").detail(key.name());
    let txn = txn.update(key.clone(), seen.version, encode(&record));
    Ok(Beginning {
        prepare,
        finish: audited(txn, stamp, &audit),
    })
}

/// Transactions that create these entries, as many in each as it takes.
pub(super) fn creations(entries: impl IntoIterator<Item = (Key, Bytes)>) -> Vec<Txn> {
    let (mut txns, mut txn, mut bytes) = (Vec::new(), Txn::new(), 0);
    for (key, value) in entries {
        bytes += value.len();
        if bytes > TXN_PAGE_BYTES {
            txns.push(std::mem::take(&mut txn));
            bytes = value.len();
        }
        txn = txn.create(key, value);
    }
    txns.push(txn);
    txns
}

/// Records on as few pages as they need.
fn paged(records: impl IntoIterator<Item = Record>) -> Vec<Page> {
    let mut pages = vec![Page::default()];
    let mut bytes = 0;
    for record in records {
        if bytes > PAGE_BYTES {
            pages.push(Page::default());
            bytes = 0;
        }
        bytes += encode(&record).len();
        if let Some(page) = pages.last_mut() {
            page.records.push(record);
        }
    }
    pages
}
