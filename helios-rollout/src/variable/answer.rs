//! What a view answers with.

use std::collections::BTreeMap;
use std::fmt;

use helios_core::Timestamp;
use helios_core::model::HostName;
use serde::{Deserialize, Serialize};

use super::Value;
use crate::order::{Cause, StratumPath};
use crate::share::Share;

/// When a host changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Flips {
    /// To the new value; `None` if never, or not while the pause lasts.
    pub forward: Option<Timestamp>,
    /// Back to the old value.
    pub back: Option<Timestamp>,
}

/// How many hosts hold what at a point in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// That point in time.
    pub at: Timestamp,
    /// The share that the curve asks for.
    pub asked: Share,
    /// The share that floors, ceilings, whole hosts and a ratchet make of it.
    pub real: Share,
    /// Hosts of the whole fleet by value.
    pub values: BTreeMap<Value, u64>,
    /// Hosts that take part, by stratum.
    pub strata: Vec<StratumCount>,
}

/// How far one stratum is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StratumCount {
    /// The stratum.
    pub path: StratumPath,
    /// Its hosts that take part.
    pub hosts: u64,
    /// Those that have changed.
    pub changed: u64,
}

/// Whom to tell what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use = "a step does nothing until it is applied and its hosts are told"]
pub struct Step {
    /// The point in time it was planned for.
    pub at: Timestamp,
    /// The revision of the variable it was planned from.
    pub revision: u64,
    /// The share that the curve asked for.
    pub share: Share,
    /// Whom to tell what, first to last.
    pub tells: Vec<Tell>,
    /// How many hosts wait for the budget.
    pub held_back: u64,
    /// When the next host's turn comes, if that can be foreseen.
    pub wake: Option<Timestamp>,
}

/// One host is told one value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tell {
    /// The host.
    pub host: HostName,
    /// What it should hold.
    pub value: Value,
    /// Why.
    pub because: Because,
}

/// Why a host holds what it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Because {
    /// No transition runs.
    Settled,
    /// The running transition does not concern it.
    OutOfScope,
    /// The curve has reached its turn, or it was told before.
    TurnHasCome(PlaceInLine),
    /// The curve has not reached its turn.
    TurnHasNotCome(PlaceInLine),
    /// The rollback has passed its turn.
    RolledBack(PlaceInLine),
    /// The transition was rolled back before its turn came.
    NeverTold,
    /// It was told, but members have changed and the exact order does not include it any more.
    Retaken(PlaceInLine),
}

/// Where a host stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PlaceInLine {
    /// Its place, from 0.
    pub place: u64,
    /// How many take part.
    pub of: u64,
    /// Its stratum.
    pub stratum: StratumPath,
    /// The share at which it changes.
    pub turn: Share,
    /// The share that the curve asked for.
    pub share: Share,
    /// What decided its turn.
    pub by: Cause,
}

impl Because {
    /// Whether it is a reason to hold the new value.
    #[must_use]
    pub const fn is_forward(&self) -> bool {
        matches!(self, Self::TurnHasCome(_))
    }
}

/// Why a host holds what it holds, and what comes next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    /// The host.
    pub host: HostName,
    /// What it should hold.
    pub value: Value,
    /// Why.
    pub because: Because,
    /// When it changes.
    pub flips: Flips,
    /// The revision of the variable that says so.
    pub revision: u64,
    /// The point in time that was asked about.
    pub at: Timestamp,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} holds {} (revision {}): {}",
            self.host, self.value, self.revision, self.because
        )
    }
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settled => f.write_str("no transition is running"),
            Self::OutOfScope => f.write_str("the running transition does not concern it"),
            Self::TurnHasCome(place) => {
                write!(f, "{place}, and the curve was at {}", place.share.rounded())
            }
            Self::TurnHasNotCome(place) => {
                write!(
                    f,
                    "{place}, and the curve is only at {}",
                    place.share.rounded()
                )
            }
            Self::RolledBack(place) => {
                write!(
                    f,
                    "{place}, and the rollback is down to {}",
                    place.share.rounded()
                )
            }
            Self::NeverTold => f.write_str("the transition was rolled back before its turn came"),
            Self::Retaken(place) => write!(
                f,
                "{place} since the fleet changed, and the curve is only at {}",
                place.share.rounded()
            ),
        }
    }
}

impl fmt::Display for PlaceInLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = match self.by {
            Cause::Proportion => "by its place in the line",
            Cause::Floor => "early, for the floor of its stratum",
            Cause::Ceiling => "late, for the ceiling of its stratum",
            Cause::Told => "told before",
            Cause::Excess => "late, because more have been told than the curve asks for",
            Cause::Threshold => "by its hash",
        };
        let (place, of, turn) = (self.place + 1, self.of, self.turn.rounded());
        write!(f, "it is number {place} of {of} and changes at {turn} {by}")
    }
}
