//! What is stored of a deployment group.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use helios_core::Timestamp;
use helios_core::model::{
    DeploymentGroup, HostName, JobId, ResolvedRolloutOptions, RolloutOptions,
};
use serde::{Deserialize, Serialize};

use super::{Failure, Policy};

/// How many of its last steps a rollout remembers; the audit log has all of them.
pub(super) const LOG_MAX: usize = 20;

/// A deployment group and its rollout, in one entry: who changes one has seen the other.
///
/// It holds what is under way and what went wrong, not the members: which rollout has come to a host is
/// [marked at the host](helios_core::schema::GroupMark). So an entry stays small, and a step writes as many
/// hosts as it is about, however large the group is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupRecord {
    /// The operation that created the group: tells it from another one that had its name before.
    pub id: String,
    /// The group as it is shown.
    pub group: DeploymentGroup,
    /// The job that was brought to the whole group last: what a rollback goes back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<JobId>,
    /// The job that was settled before that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<JobId>,
    /// Whether somebody stopped the group before it had a rollout.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stopped: bool,
    /// The last rollout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Rollout>,
}

impl GroupRecord {
    /// A group that had no rollout yet. `id` is the operation that creates it.
    #[must_use]
    pub fn new(id: String, group: DeploymentGroup) -> Self {
        Self {
            id,
            group,
            settled: None,
            before: None,
            stopped: false,
            rollout: None,
        }
    }

    /// The options of the last rollout.
    #[must_use]
    pub fn options(&self) -> ResolvedRolloutOptions {
        let unset = RolloutOptions::default();
        let options = self.group.rollout_options.as_ref();
        options.unwrap_or(&unset).resolve(None)
    }
}

/// How far a rollout is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RolloutState {
    /// Under way, or paused.
    RollingOut,
    /// It came to every member.
    Done,
    /// It was given up, and does nothing more.
    Failed,
}

/// A job on its way through a group.
///
/// Times are those of the master that made the step. Deadlines follow from them, so that a master which
/// starts in the middle keeps them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rollout {
    /// The operation that started it.
    pub id: String,
    /// What is rolled out.
    pub job: JobId,
    /// What its options do not say.
    #[serde(default)]
    pub policy: Policy,
    /// The rollout that this one takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<Undone>,
    /// How far it is.
    pub state: RolloutState,
    /// Why it failed, or what it takes back and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Whether it was stopped by somebody: then nothing but another rollout moves the group again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stopped: bool,
    /// Why no further host is started for now, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<String>,
    /// After how many started hosts it pauses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause_at: Option<u64>,
    /// When it was started, or joined by more hosts.
    pub begun: Timestamp,
    /// When its last step was made.
    pub changed: Timestamp,
    /// The members when it was started: what shares are of.
    pub size: u64,
    /// How many steps were made.
    pub step: u64,
    /// How many hosts were started.
    pub started: u64,
    /// How many hosts are done.
    pub done: u64,
    /// How many of them were when more hosts joined it last.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub done_before: u64,
    /// The hosts it waits for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub in_flight: BTreeMap<HostName, Flight>,
    /// The hosts that failed. None of them is tried again by this rollout.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failed: BTreeMap<HostName, Failure>,
    /// The hosts that failed in the rollout before, which this one starts again for others: those come last.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub last: BTreeSet<HostName>,
    /// The hosts it had not come to when it failed: they alone are no reason to start again.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub left_out: BTreeSet<HostName>,
    /// Its last steps, each with its reasons.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    pub log: VecDeque<Note>,
}

impl Rollout {
    /// A rollout of `job` that has not made a step yet.
    #[must_use]
    pub fn new(id: String, job: JobId, policy: Policy, size: u64, now: Timestamp) -> Self {
        Self {
            id,
            job,
            pause_at: policy.stop_after.map(u64::from),
            policy,
            undoes: None,
            state: RolloutState::RollingOut,
            error: None,
            stopped: false,
            pause: None,
            begun: now,
            changed: now,
            size,
            step: 0,
            started: 0,
            done: 0,
            done_before: 0,
            in_flight: BTreeMap::new(),
            failed: BTreeMap::new(),
            last: BTreeSet::new(),
            left_out: BTreeSet::new(),
            log: VecDeque::new(),
        }
    }

    /// Adds to the log, and forgets the oldest notes.
    pub(super) fn note(&mut self, at: Timestamp, text: String) {
        self.log.push_back(Note { at, text });
        while self.log.len() > LOG_MAX {
            self.log.pop_front();
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A rollout that is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Undone {
    /// Its id: the hosts that bear its mark are taken back first, the last one before all.
    pub rollout: String,
    /// What it rolled out.
    pub job: JobId,
}

/// A host that a rollout waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Flight {
    /// What it waits for.
    pub phase: Phase,
    /// Since when.
    pub since: Timestamp,
    /// Since when the job has been seen healthy without a break, if it has to be for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthy: Option<Timestamp>,
    /// What was taken from a host that leaves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<JobId>,
}

/// What a rollout waits for on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "RolloutPhase")
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Phase {
    /// That an earlier deployment of the same job is gone, whose report could be taken for that of the new one.
    Clearing,
    /// That the job is healthy.
    Starting,
    /// That the jobs of a host that left the group are gone.
    Leaving,
}

/// A step that was made, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// What and why.
    pub text: String,
}
