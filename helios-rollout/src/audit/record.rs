//! One line of the log.

use helios_core::Timestamp;
use helios_core::model::HostName;
use serde::{Deserialize, Serialize};

use super::State;
use crate::curve::Curve;
use crate::guard::{Advice, Evidence, Guard, NoEvidence};
use crate::order::Member;
use crate::variable::{Budget, Step, Transition};

/// One line of an audit log. Lines are only ever added, each in the transaction that makes it true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Counts up by one, without gaps.
    pub sequence: u64,
    /// When it happened, by the clock of the master that wrote it.
    pub at: Timestamp,
    /// The revision of the variable after it.
    pub revision: u64,
    /// What happened.
    pub entry: Entry,
}

/// What happened. Some entries are inputs; a step and an advice are decisions, which follow from what stands before them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Entry {
    /// Everything before this line, rolled up. The first line of every log.
    Checkpoint(Box<State>),
    /// Hosts came and went, or changed their labels: those join anew.
    Members {
        /// Who joined or changed.
        joined: Vec<Member>,
        /// Who left.
        left: Vec<HostName>,
    },
    /// A transition was started, with a guard if somebody wanted one.
    Started {
        /// The transition.
        transition: Box<Transition>,
        /// What ends it early.
        guard: Option<Guard>,
    },
    /// The clock was stopped.
    Paused,
    /// The clock runs again.
    Resumed,
    /// The transition turned round.
    RolledBack {
        /// How fast it goes back.
        curve: Box<Curve>,
    },
    /// The transition ended where it was.
    Aborted,
    /// The transition has arrived.
    Finished,
    /// A decision: hosts were told values.
    Told {
        /// How many hosts could be on their way.
        budget: Budget,
        /// Who was told what, and why.
        step: Step,
    },
    /// Evidence came in.
    Looked {
        /// The objective it is about.
        objective: String,
        /// What was counted.
        evidence: Evidence,
        /// Hosts that went wrong, or were wrong from the beginning: they are not counted again.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        fallen: Vec<HostName>,
    },
    /// There has been no evidence for a while.
    Missed {
        /// The objective it would be about.
        objective: String,
        /// Why.
        because: NoEvidence,
    },
    /// The guard stopped the clock.
    Held,
    /// The guard lets the clock run again.
    Released,
    /// A decision: whether to go on.
    Advised {
        /// What the guard said.
        advice: Advice,
    },
}
