//! What the store keeps.

use std::collections::BTreeMap;

use helios_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::audit::Record;
use crate::variable::{Change, Variable};

/// A variable as the store keeps it, at `variables/<name>`: small, however many hosts there are.
///
/// A running transition is not in it. It lies in a log of its own, in pages, which adds up to the transition, its fleet, its guard and
/// who was told what; and which is the audit log at the same time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VariableRecord {
    /// Counts the changes of this variable for ever: also every record of its logs, and its removal. Values are ordered by it.
    pub changes: u64,
    /// What `changes` was when the settled part last changed.
    pub settled_at: u64,
    /// The settled part; `None` once the variable is removed. The count must outlive it, for followers that were away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variable: Option<Variable>,
    /// The log of the transition that is running, or else of the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<LogHead>,
    /// What became of earlier transitions, newest last; at most [`PAST_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past: Vec<Past>,
}

/// How many earlier transitions a variable remembers.
pub const PAST_MAX: usize = 20;

/// Where a log lies, and how long it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogHead {
    /// Its name, which no other log ever has.
    pub id: String,
    /// What [`VariableRecord::changes`] was before its first record.
    pub from: u64,
    /// How many pages it has, those that are rolled up included.
    pub pages: u32,
    /// How many records were on them. A page can hold more for a moment: those do not count yet.
    pub records: u64,
    /// Whether its transition is running.
    pub running: bool,
    /// What stands for its first pages, once they are rolled up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_up: Option<RolledUp>,
}

/// The first pages of a log, rolled up: they are gone, and a checkpoint stands for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RolledUp {
    /// How many pages.
    pub pages: u32,
    /// What the entries are called that the checkpoint lies in: `rollouts/<variable>/<checkpoint>:<part>`.
    pub checkpoint: String,
    /// How many entries that are.
    pub parts: u32,
    /// The digest of the checkpoint, without which it is not believed.
    pub digest: String,
}

/// Consecutive records of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// In order.
    pub records: Vec<Record>,
}

/// An earlier transition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Past {
    /// What it changed.
    pub change: Change,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// How many hosts held the new value at the end.
    pub told: u64,
}

/// How a transition ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It arrived.
    Finished,
    /// It was stopped half-way, and every host kept what it had.
    Aborted,
    /// It went all the way back.
    RolledBack,
}

/// A host that follows variables without an agent, at `followers/<host>`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FollowerRecord {
    /// What it said it is on its first call. Later calls do not change it.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Why it could not enact what it was told last; nothing, if it could.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}
