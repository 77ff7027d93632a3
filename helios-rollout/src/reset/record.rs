//! A reset as it is stored.

use std::fmt;

use helios_core::cluster::ClusterError;
use helios_core::model::HostName;
use helios_core::store::StoreError;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{ControlError, Impossible, Progress, Reset, Sights};

/// A reset and how far it has come, in one entry: both are read and changed as one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResetRecord {
    /// What was asked for.
    pub reset: Reset,
    /// How far it has come.
    pub progress: Progress,
    /// How many lines its trail has; see [`Resets::trail`](super::Resets::trail).
    #[serde(default)]
    pub trail: u64,
}

impl ResetRecord {
    /// Whether this one comes before another that is for some of the same hosts.
    pub(super) fn is_older(&self, other: &Self) -> bool {
        let age = |record: &Self| (record.progress.created, record.reset.name.clone());
        age(self) < age(other)
    }
}

/// What is seen of the fleet, and which hosts those of the other resets have that began earlier.
pub(super) fn sights_for<'a>(
    record: &ResetRecord,
    others: impl Iterator<Item = &'a ResetRecord>,
    mut sights: Sights,
) -> Sights {
    for other in others {
        if !other.progress.is_over() && other.is_older(record) {
            let theirs = sights.iter().filter(|(_, sight)| other.reset.is_for(sight));
            let theirs: Vec<HostName> = theirs.map(|(host, _)| host.clone()).collect();
            sights = sights.claimed_by(&other.reset.name, theirs);
        }
    }
    sights
}

/// Why something about a reset is refused. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ResetRefused {
    /// It can never be done.
    #[error("reset {name} is refused: {}", Reasons(why))]
    Impossible {
        /// The reset.
        name: String,
        /// All reasons.
        why: Vec<Impossible>,
    },
    /// Its name is none.
    #[error("{name:?} is no name for a reset: use letters, digits, dots and dashes")]
    BadName {
        /// The name.
        name: String,
    },
    /// Its name stands for something else in addresses.
    #[error(
        "a reset cannot be called {name:?}: `/resets/{name}` is the address of something else; use another name"
    )]
    Reserved {
        /// The name.
        name: String,
    },
    /// There is one of that name that is not over.
    #[error("there is a reset {name} that is not over: use another name, or abort that one")]
    Exists {
        /// The name.
        name: String,
    },
    /// There is none of that name.
    #[error("there is no reset {name}: `helios reset status` lists them")]
    NotFound {
        /// The name.
        name: String,
    },
    /// Another one is for some of the same hosts.
    #[error(
        "reset {other} is for host {host} too and is not over: wait for it, abort it, or choose other hosts"
    )]
    Overlaps {
        /// The other reset.
        other: String,
        /// The first of the hosts.
        host: HostName,
    },
    /// It cannot be said to a reset as it is.
    #[error("reset {name}: {why}")]
    Control {
        /// The reset.
        name: String,
        /// Why.
        why: ControlError,
    },
}

impl From<ResetRefused> for ClusterError<ResetRefused> {
    fn from(refused: ResetRefused) -> Self {
        Self::Refused(refused)
    }
}

/// What went wrong with a change of a reset.
pub type ResetError = ClusterError<ResetRefused>;

/// A fleet that makes no sense is a store that makes none.
pub(super) fn no_fleet() -> StoreError {
    let message = "the registered hosts are too many for one reset";
    StoreError::new(helios_core::store::StoreErrorKind::LimitExceeded, message)
}

struct Reasons<'a>(&'a [Impossible]);

impl fmt::Display for Reasons<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, reason) in self.0.iter().take(10).enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{reason}")?;
        }
        match self.0.len().saturating_sub(10) {
            0 => Ok(()),
            more => write!(f, "; and {more} more reasons"),
        }
    }
}
