//! Why an order is refused.

use helios_core::model::HostName;
use thiserror::Error;

/// A fleet or a set of rules that contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OrderError {
    /// Two members have one name.
    #[error("the fleet has host {host} twice")]
    DuplicateHost {
        /// The name.
        host: HostName,
    },
    /// A member has weight zero.
    #[error("host {host} has weight zero: leave it out of the scope instead")]
    ZeroWeight {
        /// The member.
        host: HostName,
    },
    /// The fleet is too large.
    #[error("a fleet of {count} hosts is too large, the limit is {max}", max = super::MEMBERS_MAX)]
    TooManyHosts {
        /// How many.
        count: usize,
    },
    /// A floor demands more than a ceiling allows.
    #[error(
        "rules {floor:?} and {ceiling:?} cannot both hold in stratum {stratum}: \
         at least {at_least} of its {hosts} hosts, but at most {at_most}"
    )]
    Infeasible {
        /// The stratum in which they meet.
        stratum: String,
        /// How many hosts it has.
        hosts: u64,
        /// The name of the rule with the floor.
        floor: String,
        /// What it demands.
        at_least: u64,
        /// The name of the rule with the ceiling.
        ceiling: String,
        /// What it allows.
        at_most: u64,
    },
    /// Two rules have one name.
    #[error("two rules are called {name:?}")]
    DuplicateRule {
        /// The name.
        name: String,
    },
}
