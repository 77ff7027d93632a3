//! What a reset is to do, and within which limits.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use helios_core::Timestamp;
use helios_core::model::HostSelector;
use serde::{Deserialize, Serialize};

use crate::curve::{Calendar, millis};
use crate::guard::Guard;
use crate::order::Amount;
use crate::share::Share;

/// A wish for every machine of a fleet: what is wanted of it, by when, and what must hold meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Reset {
    /// What it is called; also the salt of its order.
    pub name: String,
    /// The hosts whose labels fulfil all of these. None: all hosts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<HostSelector>,
    /// What is wanted of each of them.
    pub wanted: Wanted,
    /// By when.
    pub deadline: Timestamp,
    /// How a machine is reset.
    #[serde(default)]
    pub action: Action,
    /// What must hold meanwhile.
    #[serde(default)]
    pub limits: Limits,
    /// How long each step of a host may take.
    #[serde(default)]
    pub patience: Patience,
    /// What must not get worse; see [`Monitor`](crate::guard::Monitor).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<Guard>,
}

/// What is wanted of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Wanted {
    /// That at the deadline it has been up for no longer than this.
    YoungerThan(
        #[serde(with = "millis")]
        #[cfg_attr(feature = "schema", schemars(with = "u64"))]
        Duration,
    ),
    /// That it was reset at or after this.
    ResetSince(Timestamp),
    /// That its operating system does not ask for a reboot.
    NoRebootPending,
}

/// How a machine is reset once it is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "ResetAction")
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// Its own agent runs the command that it was started with, once.
    #[default]
    Agent,
    /// A master asks for it: see [`ResetAction`](super::ResetAction).
    Master,
    /// Not at all. The host is emptied, counted as returned, and filled again: a drill.
    None,
}

/// What must hold at every moment of a reset.
///
/// A host is *away* from the moment it is chosen until its jobs are well again: while it is emptied, reset and not yet checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// At most so many hosts are away.
    pub at_once: u64,
    /// And of each role, of each zone, of each value of any label, at most so many. These labels also make the strata of
    /// the order, the first one the outermost.
    pub groups: Vec<GroupLimit>,
    /// Hosts are chosen only while this is open. One that was chosen is brought to its end all the same.
    pub calendar: Calendar,
    /// So many instances of every service stay well: a part of its instances (rounded up), or a number. A service is a job in all its versions.
    pub minimum_healthy: Amount,
    /// Other minimums, by service.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, Amount>,
    /// Services, and groups written as `role=db`, whose minimum does not count: those that cannot bear it, and are to be reset all the same.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub waived: BTreeSet<String>,
    /// Until the first host is done, no other is chosen.
    pub first_alone: bool,
    /// One more host than this that fails or is lost stops the reset.
    pub failures: u64,
}

/// How many hosts with one value of a label may be away.
///
/// Of `n` hosts: `min(ceiling, max(floor, share * n))`, and never so many that fewer than `keep` serve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct GroupLimit {
    /// The label: `role`, `zone`.
    pub label: String,
    /// That part of the hosts with each value, rounded down.
    pub share: Share,
    /// But at least so many may be away.
    #[serde(default = "one")]
    pub floor: u64,
    /// But at most so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<u64>,
    /// So many hosts with each value stay up and in service, whatever else takes hosts away.
    #[serde(default)]
    pub keep: u64,
}

fn one() -> u64 {
    1
}

/// How long each step of a host may take. By stored timestamps, so that it does not matter which master watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Patience {
    /// From being chosen to being empty.
    #[serde(with = "millis")]
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub drain: Duration,
    /// How long a master's call to the action may take.
    #[serde(with = "millis")]
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub ask: Duration,
    /// From the order to reset until the host is back.
    #[serde(with = "millis")]
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub away: Duration,
    /// From being back until all its jobs are well.
    #[serde(with = "millis")]
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub check: Duration,
    /// How long its jobs have to stay well before it is done.
    #[serde(with = "millis")]
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub settle: Duration,
    /// How long a service may be below its minimum before that stops the reset.
    #[serde(with = "millis")]
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub service: Duration,
    /// How long a host is expected to take altogether, for the forecast; once hosts are done, what they took counts instead.
    #[serde(with = "millis")]
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub expected: Duration,
}

impl Default for Limits {
    /// One host after the other, at any time, with one instance of every service well, stopped by the first failure.
    fn default() -> Self {
        Self {
            at_once: 1,
            groups: Vec::new(),
            calendar: Calendar::default(),
            minimum_healthy: Amount::Hosts(1),
            services: BTreeMap::new(),
            waived: BTreeSet::new(),
            first_alone: true,
            failures: 0,
        }
    }
}

impl Default for Patience {
    fn default() -> Self {
        let minutes = |count: u64| Duration::from_secs(60 * count);
        Self {
            drain: minutes(15),
            ask: minutes(1),
            away: minutes(30),
            check: minutes(15),
            settle: Duration::from_secs(30),
            service: minutes(1),
            expected: minutes(10),
        }
    }
}

impl Limits {
    /// How many instances of a service have to stay well, of so many; none, if that was waived.
    #[must_use]
    pub fn minimum_of(&self, service: &str, instances: u64) -> u64 {
        if self.waived.contains(service) {
            return 0;
        }
        self.asked_minimum_of(service, instances)
    }

    /// As [`minimum_of`](Self::minimum_of), waived or not.
    #[must_use]
    pub fn asked_minimum_of(&self, service: &str, instances: u64) -> u64 {
        match self.services.get(service).unwrap_or(&self.minimum_healthy) {
            Amount::Hosts(count) => *count,
            Amount::Share(share) => share.of_ceil(instances),
        }
    }
}

impl GroupLimit {
    /// How many of so many hosts may be away.
    #[must_use]
    pub fn allowed(&self, hosts: u64) -> u64 {
        let allowed = self.share.of_floor(hosts).max(self.floor);
        allowed.min(self.ceiling.unwrap_or(u64::MAX)).min(hosts)
    }
}

impl Reset {
    /// The labels that make the strata of its order, outermost first.
    #[must_use]
    pub fn strata(&self) -> Vec<String> {
        let labels = self.limits.groups.iter().map(|group| group.label.clone());
        labels.collect()
    }
}
