//! The one place that spells a key or encodes a value.
//!
//! | key | value | written by |
//! |---|---|---|
//! | `cluster` | [`ClusterRecord`]: which cluster this is | the first master |
//! | `jobs/<job id>` | [`JobRecord`]: a job, immutable but for the mark of its removal | masters |
//! | `names/<name>:<version>` | [`NameRecord`]: keeps name and version unique | masters |
//! | `removed/<operation>` | [`RemovalRecord`]: a removed job of which something may be left | masters |
//! | `hosts/<host>` | [`HostRecord`]: identity and goals | masters; the agent when it registers |
//! | `up/<host>` | [`Presence`], ephemeral: a live agent | that agent |
//! | `masters/<master>` | [`Presence`], ephemeral: a live master | that master |
//! | `status/<host>` | [`HostReport`]: what the agent reports | that agent |
//! | `history/<job id>/<host>` | [`HistoryRecord`]: the last events of a job on a host | the agent of the host; masters remove it with the job |
//! | `variables/<variable>` | `helios_rollout::drive::VariableRecord` | masters |
//! | `rollouts/<variable>/<log>:<page>` | `helios_rollout::drive::Page`: who was told what, when and why | masters |
//! | `followers/<host>` | `helios_rollout::drive::FollowerRecord`: a host that asks without an agent | masters |
//! | `absences/<host>` | [`AbsenceRecord`](crate::reap::AbsenceRecord): since when an agent is away | masters |
//! | `audit/<minute>/<operation>` | [`AuditRecord`]: who changed what | whoever changed it, in the same transaction |
//!
//! Values are JSON; unknown members are ignored, so that an older reader understands a newer writer.
//! Golden files pin keys and values: a change of one is a migration.

mod audit;
mod drain;
mod goals;
mod history;
mod host;
mod job;
mod keys;
mod operation;
mod report;
mod versioned;

pub use audit::{AuditRecord, Stamp};
pub use drain::Drain;
pub use goals::{Goals, UnreadGoal};
pub use history::{HISTORY_EVENTS_MAX, HistoryEvent, HistoryRecord};
pub use host::{ClusterRecord, GoalRecord, GroupMark, HostRecord, Presence};
pub use job::{JobRecord, NameRecord, RemovalRecord};
pub use keys::Keys;
pub use operation::{OperationId, OperationIds};
pub use report::{HostReport, LastExit, TaskReport};
pub use versioned::Versioned;

pub(crate) use host::static_ports;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::{Key, StoreError, StoreErrorKind};

/// Encodes a record as it is stored.
pub fn encode(record: &impl Serialize) -> Bytes {
    // Records are structs of texts, numbers, lists and text-keyed maps: they always serialise. A
    // record that did not would be refused by every reader as corrupt, and never be taken for an
    // empty one.
    serde_json::to_vec(record).unwrap_or_default().into()
}

/// Decodes the record that was read at `key`.
///
/// # Errors
/// `Corrupt`, naming the key.
pub fn decode<T: DeserializeOwned>(key: &Key, value: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(value).map_err(|error| {
        let message = format!("{key} is not what its place says");
        StoreError::new(StoreErrorKind::Corrupt, message)
            .at(key.clone())
            .caused_by(error)
    })
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
