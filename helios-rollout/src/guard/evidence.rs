//! What was counted.

use helios_core::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Events among a number of chances: failed requests of all requests, hosts that did not come back of all told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// How often it went wrong.
    pub events: u64,
    /// How often it could have: requests, hosts, or seconds of a host. The unit cancels out.
    pub exposure: u64,
}

impl Counts {
    /// Counts on.
    pub(crate) fn add(&mut self, more: Self) {
        self.events = self.events.saturating_add(more.events);
        self.exposure = self.exposure.saturating_add(more.exposure);
    }
}

/// One look at one stratum: what was counted in both arms *since the look before*.
///
/// Requests on one host fail together, so count hosts where you can; and compare like with like, one stratum at a time.
/// The counts of different strata and looks are multiplied up by the guard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// When.
    pub at: Timestamp,
    /// Which stratum; for people only.
    #[serde(default)]
    pub stratum: String,
    /// Hosts with the new value.
    pub new: Counts,
    /// Hosts with the old value.
    pub old: Counts,
}

/// Evidence or a guard that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GuardError {
    /// Something happened to nobody.
    #[error("the evidence for {objective:?} at {at} counts events in an arm without exposure")]
    EventsWithoutExposure {
        /// The objective.
        objective: String,
        /// When.
        at: Timestamp,
    },
    /// Evidence from before the last look.
    #[error("the evidence for {objective:?} at {at} is older than the last look, at {last}")]
    OutOfOrder {
        /// The objective.
        objective: String,
        /// When.
        at: Timestamp,
        /// The last look.
        last: Timestamp,
    },
    /// Nobody knows the objective.
    #[error("the guard has no objective {objective:?}")]
    UnknownObjective {
        /// The name.
        objective: String,
    },
    /// A number out of its range.
    #[error("the guard is refused: {why}")]
    Invalid {
        /// Which rule it breaks.
        why: &'static str,
    },
}

impl Evidence {
    /// Whether something happened where nothing could.
    pub(super) fn is_impossible(&self) -> bool {
        [self.new, self.old]
            .iter()
            .any(|arm| arm.events > 0 && arm.exposure == 0)
    }
}
