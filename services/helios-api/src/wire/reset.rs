//! Requests and answers about resets of the fleet.

use std::collections::BTreeMap;

use helios_core::Timestamp;
use helios_core::model::HostName;
use helios_rollout::reset::{Counted, Forecast, Hold, Mishap, Phase, Stage, Verdict};
use serde::{Deserialize, Serialize};

use super::ObjectiveStatus;

/// The answer to `POST /resets/plan`: how a reset would go, or why it can never be done.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct PlannedReset {
    /// How it would go, if it could begin now.
    pub forecast: Option<Forecast>,
    /// Every reason why it could not.
    pub impossible: Vec<String>,
}

/// One line of the list of resets.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct ResetSummary {
    /// What it is called.
    pub name: String,
    /// Whether it goes on.
    pub stage: Stage,
    /// When it began.
    pub created: Timestamp,
    /// By when it should be over.
    pub deadline: Timestamp,
    /// How many hosts are done.
    pub done: u64,
    /// How many are away.
    pub away: u64,
    /// With how many something went wrong.
    pub mishaps: u64,
}

/// A reset, how it is doing and how it will go on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ResetStatus {
    /// What it is called.
    pub name: String,
    /// Whether it goes on.
    pub stage: Stage,
    /// When it began.
    pub created: Timestamp,
    /// By when it should be over.
    pub deadline: Timestamp,
    /// How many hosts are done.
    pub done: u64,
    /// How many are still to be chosen.
    pub due: u64,
    /// How many were deregistered while they were away.
    pub left: u64,
    /// The hosts that are away.
    pub away: BTreeMap<HostName, AwayHost>,
    /// The hosts with which something went wrong.
    pub mishaps: BTreeMap<HostName, Mishap>,
    /// What keeps hosts that are due from being chosen now.
    pub waiting: Vec<WaitingHosts>,
    /// Services that are below their minimum while one of their hosts is away, and since when.
    pub below: BTreeMap<String, Timestamp>,
    /// The hosts that are chosen next.
    pub next: Vec<HostName>,
    /// When it ends if it goes on like this; `None` if it does not go on, or never ends.
    pub ends: Option<Timestamp>,
    /// Whether that is in time.
    pub in_time: bool,
    /// How long a host is away, by those that are done or as is expected, in milliseconds.
    pub per_host_millis: u64,
    /// What is known about each objective of the guard.
    pub objectives: Vec<ObjectiveStatus>,
}

/// A host that is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct AwayHost {
    /// Where it is on its way.
    pub phase: Phase,
    /// Since when.
    pub since: Timestamp,
    /// When it was chosen.
    pub chosen: Timestamp,
}

/// Hosts that are due and not chosen.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct WaitingHosts {
    /// How many.
    pub hosts: u64,
    /// What for.
    pub because: Hold,
}

/// The body of `POST /resets/{reset}/resume`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ResumeReset {
    /// Whether hosts with which something went wrong are due again.
    pub again: bool,
    /// Another deadline.
    pub deadline: Option<Timestamp>,
}

/// The body of `POST /resets/{reset}/evidence`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ResetEvidence {
    /// The objective it is about.
    pub objective: String,
    /// What was counted on hosts that were reset and on hosts that were not.
    pub evidence: helios_rollout::guard::Evidence,
}

/// What happened in a reset, newest last.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct ResetAudit {
    /// How many records there are.
    pub records: u64,
    /// What is in them, at most a thousand lines from the end.
    pub lines: Vec<ResetAuditLine>,
}

/// One thing that happened in a reset.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct ResetAuditLine {
    /// Its place in the trail.
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub by: String,
    /// With which host, if it was with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostName>,
    /// What, and why.
    pub text: String,
}

/// How services bore a reset.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct ResetReport {
    /// What the reset is called.
    pub name: String,
    /// Whether it goes on.
    pub stage: Stage,
    /// The services of which a host was away, those first that could bear it least.
    pub services: Vec<ServiceReport>,
    /// What is known about each objective of the guard.
    pub objectives: Vec<ObjectiveStatus>,
}

/// What happened to a service while one of its hosts was away.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct ServiceReport {
    /// Which.
    pub service: String,
    /// Whether it can bear it.
    pub verdict: Verdict,
    /// How many of its hosts were taken away.
    pub hosts: u64,
    /// How many instances it was to have, when the fewest were well.
    pub instances: u64,
    /// The fewest that were well.
    pub healthy: u64,
    /// How many had to be.
    pub minimum: u64,
    /// When the fewest were seen first.
    pub at: Timestamp,
    /// Which host was away then.
    pub host: HostName,
    /// What the guard's objectives counted on its hosts that were there, by objective.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub objectives: BTreeMap<String, Counted>,
    /// The objectives that got worse while a host was away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub worse: Vec<String>,
}
