//! How far a reset has come.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use helios_core::Timestamp;
use helios_core::model::HostName;
use serde::{Deserialize, Serialize};

use super::{Because, Halt, HostHashes, Reset};
use crate::curve::millis;
use crate::guard::{GuardError, Monitor};

/// How far a reset has come: everything that has to be known to go on, and nothing that can be seen anew.
///
/// It holds the hosts that are away, what went wrong, and eight bytes for each host that is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// When it began.
    pub created: Timestamp,
    /// Whether it goes on.
    pub stage: Stage,
    /// The hosts that are away.
    pub away: BTreeMap<HostName, Away>,
    /// The hosts that are done.
    pub done: HostHashes,
    /// The hosts with which something went wrong.
    pub mishaps: BTreeMap<HostName, Mishap>,
    /// How many of the mishaps were accepted by whoever resumed the reset.
    pub excused: u64,
    /// How many hosts were deregistered while they were away.
    pub left: u64,
    /// How often a host was chosen.
    pub turns: u64,
    /// How long the hosts that are done were away, all together.
    #[serde(with = "millis")]
    pub spent: Duration,
    /// Since when services are below their minimum while one of their hosts is away.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub below: BTreeMap<String, Timestamp>,
    /// The hosts that were found wrong, by objective: each counts at most once.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fallen: BTreeMap<String, HostHashes>,
    /// What the guard has seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitor: Option<Monitor>,
}

/// Whether a reset goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Hosts are chosen and reset.
    Running,
    /// No more hosts are chosen; those that are away come back.
    Paused,
    /// Something is wrong: no more hosts are chosen, and those that were not reset yet are given back their jobs.
    Halted(Halt),
    /// It is being ended, in the same way.
    Aborting,
    /// It is over: nobody is away, and nothing is drained.
    Ended(Ending),
}

/// How a reset ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Every host is as wanted, except those with a mishap.
    Done,
    /// Somebody ended it.
    Aborted,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running => f.write_str("running"),
            Self::Paused => f.write_str("paused"),
            Self::Halted(halt) => write!(f, "halted: {halt}"),
            Self::Aborting => f.write_str("being aborted"),
            Self::Ended(Ending::Done) => f.write_str("done"),
            Self::Ended(Ending::Aborted) => f.write_str("aborted"),
        }
    }
}

/// A host that is away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Away {
    /// Where it is on its way.
    pub phase: Phase,
    /// Since when.
    pub since: Timestamp,
    /// When it was chosen.
    pub chosen: Timestamp,
    /// Which time a host was chosen: different for every host and every reset.
    pub id: String,
    /// The registration it was chosen under.
    pub epoch: String,
    /// The boot of its machine when it was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<String>,
    /// Its labels by which the limits count it: until its agent reports again, nobody else knows them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// When it came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<Timestamp>,
    /// What a master did about it.
    #[serde(default, skip_serializing_if = "Asked::is_not_yet")]
    pub asked: Asked,
    /// Whether it only gets its jobs back, without having been reset.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub released: bool,
}

/// Where a host is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "ResetPhase")
)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It has its place among those that may be away.
    Chosen,
    /// Its jobs are being stopped.
    Draining,
    /// Nothing runs on it.
    Drained,
    /// It is being reset.
    Resetting,
    /// It is back under its name, with another boot; its jobs are started.
    Returned,
    /// Its jobs are well.
    Checked,
}

/// Whether a master has asked for a reset of the host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// No.
    #[default]
    NotYet,
    /// This master is about to; only it does.
    By {
        /// Which one.
        master: String,
        /// Since when.
        since: Timestamp,
        /// The how manieth attempt it is, from 1.
        attempt: u32,
    },
    /// Yes.
    Yes,
}

impl Asked {
    fn is_not_yet(&self) -> bool {
        *self == Self::NotYet
    }
}

/// What went wrong with a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Mishap {
    /// When.
    pub at: Timestamp,
    /// On which part of its way.
    pub phase: Phase,
    /// Whether it was gone then.
    pub lost: bool,
    /// What.
    pub because: Because,
}

impl Progress {
    /// That of a reset that begins.
    ///
    /// # Errors
    ///
    /// [`GuardError`] if its guard means nothing.
    pub fn new(reset: &Reset, now: Timestamp) -> Result<Self, GuardError> {
        let monitor = reset.guard.clone();
        let monitor = monitor.map(|guard| Monitor::new(guard, now)).transpose()?;
        Ok(Self {
            created: now,
            stage: Stage::Running,
            away: BTreeMap::new(),
            done: HostHashes::default(),
            mishaps: BTreeMap::new(),
            excused: 0,
            left: 0,
            turns: 0,
            spent: Duration::ZERO,
            below: BTreeMap::new(),
            fallen: BTreeMap::new(),
            monitor,
        })
    }

    /// Notes what came of a master's call for the reset of a host.
    pub fn asked(
        &mut self,
        host: &HostName,
        id: &str,
        outcome: &Result<(), String>,
        now: Timestamp,
    ) {
        let Some(away) = self.away.get_mut(host).filter(|away| away.id == id) else {
            return;
        };
        if away.phase != Phase::Resetting || away.asked == Asked::Yes {
            return;
        }
        let Err(why) = outcome else {
            away.asked = Asked::Yes;
            return;
        };
        let mishap = Mishap {
            at: now,
            phase: away.phase,
            lost: false,
            because: Because::ActionFailed(why.clone()),
        };
        self.away.remove(host);
        self.mishaps.insert(host.clone(), mishap);
    }

    /// Whether the host was chosen.
    #[must_use]
    pub fn has(&self, host: &HostName) -> bool {
        self.away.contains_key(host) || self.mishaps.contains_key(host) || self.done.contains(host)
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Ended(_))
    }

    /// How long a host was away on average; `None` before the first is done.
    #[must_use]
    pub fn average(&self) -> Option<Duration> {
        let count = u32::try_from(self.done.len()).ok()?;
        self.spent.checked_div(count)
    }
}
