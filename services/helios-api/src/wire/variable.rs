//! Variables and their rollouts.

use std::collections::BTreeMap;

use helios_core::Timestamp;
use helios_core::model::HostName;
use helios_rollout::Share;
use helios_rollout::drive::{Course, Past};
use helios_rollout::guard::{Advice, Doubt, Glance, Guard, Outcome};
use helios_rollout::variable::{Because, Flips, Kind, Transition, Value};
use serde::{Deserialize, Serialize};

/// The body of `PUT /variables/{variable}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SetVariable {
    /// What every host shall hold, at once.
    pub value: Value,
    /// The values it accepts from now on; as before if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Vec<Value>>,
    /// The changes, from and to, that must not happen directly from now on; as before if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forbidden: Option<Vec<(Value, Value)>>,
}

/// A variable and how it is doing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct VariableStatus {
    /// Its name.
    pub name: String,
    /// The type of its values.
    pub kind: Kind,
    /// The values it accepts; none: every value of its type.
    #[serde(default)]
    pub allowed: Vec<Value>,
    /// Grows with every change that a person makes.
    pub revision: u64,
    /// What hosts hold of which nothing else is known.
    pub value: Value,
    /// How many hosts hold what.
    pub hosts: Vec<Holders>,
    /// The rollout that is running.
    #[serde(default)]
    pub rollout: Option<RolloutStatus>,
    /// What became of earlier ones, newest last.
    #[serde(default)]
    pub past: Vec<Past>,
}

/// How many hosts hold a value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct Holders {
    /// The value.
    pub value: Value,
    /// How many.
    pub hosts: u64,
}

/// A rollout that is running.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RolloutStatus {
    /// What was started.
    pub transition: Transition,
    /// When.
    pub accepted: Timestamp,
    /// Whether its clock stands still.
    pub paused: bool,
    /// Whether it is the guard that stopped it.
    pub held_by_guard: bool,
    /// Whether it is on its way back.
    pub rolling_back: bool,
    /// The share of the hosts that its curve asks for now.
    pub asked: Share,
    /// How many hosts take part, and how many of them were told the new value.
    pub hosts: u64,
    /// How many were told.
    pub told: u64,
    /// When the last host's turn comes, if that can be foreseen.
    pub ends: Option<Timestamp>,
    /// Until when the guard watches on, once every host has changed.
    #[serde(default)]
    pub baking_until: Option<Timestamp>,
    /// What the guard said last.
    #[serde(default)]
    pub advice: Option<Advice>,
    /// What is known about each objective of the guard.
    #[serde(default)]
    pub objectives: Vec<ObjectiveStatus>,
}

/// What is known about an objective.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct ObjectiveStatus {
    /// Its name.
    pub name: String,
    /// Harm shown, harm excluded, or not known.
    pub outcome: Outcome,
    /// How strong the evidence of harm is: the rollout ends at one divided by the risk of a false alarm.
    pub evidence: u64,
    /// The last look at it.
    #[serde(default)]
    pub last: Option<Glance>,
    /// Why it is not known, if it is not: also why there is no evidence.
    #[serde(default)]
    pub doubt: Option<Doubt>,
}

/// The body of `POST /variables/{variable}/rollout` and of `.../plan`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RolloutRequest {
    /// What, how fast, for whom, in which order.
    pub transition: Transition,
    /// What ends it early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<Guard>,
}

/// What a rollout would do.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RolloutPlan {
    /// How many hosts take part.
    pub hosts: u64,
    /// When the last host's turn comes.
    pub ends: Option<Timestamp>,
    /// How many hosts hold what, over time.
    pub course: Course,
    /// The first hosts and their turns.
    pub first: Vec<TurnOf>,
    /// How far the strata are at a tenth, at half and at the end of the time.
    pub previews: Vec<Preview>,
}

/// When a host changes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct TurnOf {
    /// The host.
    pub host: HostName,
    /// When.
    pub at: Timestamp,
}

/// The body of `POST /variables/{variable}/rollback`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RollBack {
    /// How long the way back takes, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_millis: Option<u64>,
}

/// Why a host holds what it holds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Why {
    /// The host.
    pub host: HostName,
    /// What it holds.
    pub value: Value,
    /// Why.
    pub because: Because,
    /// The same in words.
    pub text: String,
    /// When it was told by the rollout that is running.
    #[serde(default)]
    pub told: Option<Timestamp>,
    /// When its turn comes.
    pub flips: Flips,
    /// The revision of the variable that says so.
    pub revision: u64,
    /// What the guard of the rollout that is running said last.
    #[serde(default)]
    pub advice: Option<Advice>,
    /// What is known about each of its objectives.
    #[serde(default)]
    pub objectives: Vec<ObjectiveStatus>,
}

/// How many hosts hold what at a point in time.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct Preview {
    /// That point in time.
    pub at: Timestamp,
    /// The share that the curve asks for.
    pub asked: Share,
    /// What whole hosts, floors and ceilings make of it.
    pub real: Share,
    /// All hosts, by value.
    pub hosts: Vec<Holders>,
    /// Hosts that take part, by stratum.
    pub strata: Vec<StratumProgress>,
}

/// How far one stratum is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct StratumProgress {
    /// Its labels, outermost first.
    pub stratum: String,
    /// Its hosts that take part.
    pub hosts: u64,
    /// Those that have changed.
    pub changed: u64,
}

/// What happened to a variable, newest last.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct AuditReport {
    /// How many records the log has.
    pub records: u64,
    /// Whether every decision in it was made again, with the same outcome; only if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replayed: Option<bool>,
    /// What is in it, at most a thousand lines from the end.
    pub lines: Vec<AuditLine>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
pub struct AuditLine {
    /// Its place in the log.
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// The revision of the variable after it.
    pub revision: u64,
    /// What.
    pub text: String,
}

/// What a host asks: everything it should hold, as one flat JSON object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desired {
    /// By name.
    pub values: BTreeMap<String, Value>,
    /// Which change made each of them so, also of variables that were removed. Of two answers about a variable, the one with the higher
    /// number is the newer, whichever masters gave them.
    pub since: BTreeMap<String, u64>,
}

/// The header of [`Desired::since`]: `docker=17,kernel=4`.
pub const SINCE_HEADER: &str = "helios-since";
