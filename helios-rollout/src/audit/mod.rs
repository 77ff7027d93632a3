//! What was decided, by which data, and why; and the proof that it follows.
//!
//! A log begins with a checkpoint. Every later [`Record`] is either an input (a person's command, a host that joined, evidence) or a
//! decision (who was told what, whether to go on). [`replay`] folds the inputs and *makes every decision again*: a record
//! that does not come out bit for bit is an error. [`roll_up`] keeps the log bounded.

mod mark;
mod record;
mod state;
#[cfg(test)]
mod tests;

use helios_core::Timestamp;
use helios_core::model::HostName;
use thiserror::Error;

pub use mark::Mark;
pub use record::{Entry, Record};
pub use state::State;
use state::Trust;

use crate::guard::GuardError;
use crate::order::OrderError;
use crate::variable::{Tell, VariableError};

/// A log that does not add up, or an entry that is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The log is empty, or its first line is no checkpoint.
    #[error("the audit log does not begin with a checkpoint")]
    NoBeginning,
    /// A checkpoint in the middle of a log.
    #[error("record {sequence} of the audit log is a checkpoint, which only the first may be")]
    Checkpoint {
        /// The record.
        sequence: u64,
    },
    /// A line is missing, doubled or out of order.
    #[error("the audit log continues with record {found} where {expected} should be")]
    Gap {
        /// What should be there.
        expected: u64,
        /// What is.
        found: u64,
    },
    /// A decision does not follow from what stands before it.
    #[error(
        "the decision in record {sequence} of the audit log is not the one that its inputs lead to"
    )]
    Differs {
        /// The record.
        sequence: u64,
    },
    /// The record names a revision that its variable did not have.
    #[error(
        "record {sequence} of the audit log is of revision {found}, but the variable was at {expected}"
    )]
    Revision {
        /// The record.
        sequence: u64,
        /// The revision it should have.
        expected: u64,
        /// The revision it has.
        found: u64,
    },
    /// Evidence without a guard.
    #[error("record {sequence} of the audit log is about a guard, and there is none")]
    NoGuard {
        /// The record.
        sequence: u64,
    },
    /// The variable refuses it.
    #[error("record {sequence} of the audit log is refused by its variable")]
    Variable {
        /// The record.
        sequence: u64,
        /// Why.
        source: Box<VariableError>,
    },
    /// The fleet would be impossible.
    #[error("record {sequence} of the audit log makes an impossible fleet")]
    Fleet {
        /// The record.
        sequence: u64,
        /// Why.
        source: OrderError,
    },
    /// The guard refuses it.
    #[error("record {sequence} of the audit log is refused by its guard")]
    Guard {
        /// The record.
        sequence: u64,
        /// Why.
        source: GuardError,
    },
}

/// Makes every decision of a log again, and returns what it all adds up to.
///
/// # Errors
///
/// [`AuditError`] names the first record that does not follow from those before it.
pub fn replay<'a>(records: impl IntoIterator<Item = &'a Record>) -> Result<State, AuditError> {
    let mut records = records.into_iter();
    let Some(Record {
        sequence,
        entry: Entry::Checkpoint(state),
        ..
    }) = records.next()
    else {
        return Err(AuditError::NoBeginning);
    };
    let mut state = (**state).clone();
    if state.records != sequence + 1 {
        return Err(AuditError::Gap {
            expected: state.records.saturating_sub(1),
            found: *sequence,
        });
    }
    for record in records {
        let (sequence, found) = (record.sequence, record.revision);
        if sequence != state.records {
            return Err(AuditError::Gap {
                expected: state.records,
                found: sequence,
            });
        }
        state.apply(sequence, record.at, &record.entry, Trust::Nothing)?;
        let expected = state.variable.revision();
        if found != expected {
            return Err(AuditError::Revision {
                sequence,
                expected,
                found,
            });
        }
    }
    Ok(state)
}

/// The log with all but its last `keep` records replaced by one checkpoint. It replays to the same state.
///
/// # Errors
///
/// As [`replay`]: what does not follow is not rolled up.
pub fn roll_up(records: &[Record], keep: usize) -> Result<Vec<Record>, AuditError> {
    let (old, recent) =
        records.split_at(records.len().saturating_sub(keep).max(1).min(records.len()));
    let state = replay(old)?;
    let at = old.last().map_or(Timestamp::default(), |record| record.at);
    Ok(std::iter::once(state.checkpoint(at))
        .chain(recent.iter().cloned())
        .collect())
}

/// What one host was told, when and why, first to last; as far back as the log goes. What it held at the checkpoint is a
/// [`Mark`] there.
pub fn history<'a>(
    records: &'a [Record],
    host: &'a HostName,
) -> impl Iterator<Item = (Timestamp, u64, &'a Tell)> {
    records.iter().flat_map(move |record| {
        let tells = match &record.entry {
            Entry::Told { step, .. } => step.tells.as_slice(),
            _ => &[],
        };
        tells
            .iter()
            .filter(move |tell| tell.host == *host)
            .map(|tell| (record.at, record.revision, tell))
    })
}
