//! A stored variable, read.

use std::sync::Arc;

use helios_core::Timestamp;
use helios_core::model::HostName;
use helios_core::schema::Versioned;

use super::rolled::Rolled;
use super::{LogHead, Page, VariableRecord};
use crate::audit::{AuditError, Entry, Record, State};
use crate::order::Member;
use crate::variable::{Because, Value, Variable};

/// A stored variable, read: its record and, while a transition runs, what its log adds up to. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ledger {
    record: Versioned<VariableRecord>,
    rollout: Option<Arc<Rollout>>,
}

/// What the log of a running transition adds up to.
#[derive(Clone, Debug)]
pub(super) struct Rollout {
    pub(super) state: State,
    /// The page that the log ends with.
    pub(super) last: Versioned<Page>,
}

/// What a host holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding<'a> {
    /// The value.
    pub value: &'a Value,
    /// Which change of the variable made it so. It never goes back.
    pub since: u64,
}

impl Ledger {
    /// A variable without a running transition.
    pub(super) fn settled(record: Versioned<VariableRecord>) -> Self {
        Self {
            record,
            rollout: None,
        }
    }

    /// A variable whose log begins with what is `rolled` up, or else continues `older`, or else begins with `pages`, the last of which is
    /// the log's last.
    pub(super) fn fold(
        record: Versioned<VariableRecord>,
        head: &LogHead,
        (older, rolled): (Option<&Self>, Option<&Rolled>),
        pages: &[Versioned<Page>],
    ) -> Result<Self, AuditError> {
        let same = |ledger: &&Self| {
            let log = ledger.record.log.as_ref();
            log.is_some_and(|log| log.id == head.id && log.records <= head.records)
        };
        let known = older
            .filter(same)
            .and_then(|older| older.rollout.as_deref());
        let mut rollout: Option<Rollout> = match rolled.zip(pages.first()) {
            Some((rolled, page)) => Some(advance(None, &rolled.checkpoint, page)?),
            None => known.cloned(),
        };
        for page in pages {
            for entry in page
                .records
                .iter()
                .filter(|entry| entry.sequence < head.records)
            {
                rollout = Some(advance(rollout, entry, page)?);
            }
        }
        let mut rollout = rollout.ok_or(AuditError::NoBeginning)?;
        if rollout.state.records != head.records {
            return Err(AuditError::Gap {
                expected: head.records,
                found: rollout.state.records,
            });
        }
        if let Some(last) = pages.last() {
            rollout.last = last.clone();
        }
        Ok(Self {
            record,
            rollout: Some(Arc::new(rollout)),
        })
    }

    /// The record.
    #[must_use]
    pub fn record(&self) -> &Versioned<VariableRecord> {
        &self.record
    }

    /// The variable, with its transition if one runs; `None` if it was removed.
    #[must_use]
    pub fn variable(&self) -> Option<&Variable> {
        match &self.rollout {
            Some(rollout) => Some(&rollout.state.variable),
            None => self.record.variable.as_ref(),
        }
    }

    /// What the log of the running transition adds up to.
    #[must_use]
    pub fn state(&self) -> Option<&State> {
        Some(&self.rollout.as_ref()?.state)
    }

    pub(super) fn rollout(&self) -> Option<&Rollout> {
        self.rollout.as_deref()
    }

    /// When the running transition told a host something last, and why it did.
    #[must_use]
    pub fn told(&self, host: &HostName) -> Option<(Timestamp, &Because)> {
        let mark = self.state()?.marks.get(host)?;
        Some((mark.at, &mark.because))
    }

    /// What a host holds: what it was told last by the running transition, or else the settled value.
    ///
    /// It depends on what is stored and on nothing else, no clock either. So all masters give the same answer, and a host is told
    /// nothing that the log does not have.
    #[must_use]
    pub fn holding(&self, member: &Member) -> Option<Holding<'_>> {
        let mark = self.state().and_then(|state| state.marks.get(&member.host));
        if let (Some(mark), Some(log)) = (mark, &self.record.log) {
            return Some(Holding {
                value: &mark.value,
                since: log.from + mark.sequence + 1,
            });
        }
        Some(Holding {
            value: self.record.variable.as_ref()?.held().value(member),
            since: self.record.settled_at,
        })
    }
}

/// One record further. What the log says was decided is not decided again.
fn advance(
    rollout: Option<Rollout>,
    record: &Record,
    page: &Versioned<Page>,
) -> Result<Rollout, AuditError> {
    let Some(mut rollout) = rollout else {
        let Entry::Checkpoint(state) = &record.entry else {
            return Err(AuditError::NoBeginning);
        };
        return Ok(Rollout {
            state: State::clone(state),
            last: page.clone(),
        });
    };
    if record.sequence < rollout.state.records {
        return Ok(rollout);
    }
    rollout.state.follow(record)?;
    Ok(rollout)
}
