//! What follows from one look.

use std::collections::BTreeMap;
use std::fmt;

use helios_core::model::HostName;
use helios_core::schema::Drain;
use serde::{Deserialize, Serialize};

use super::{Because, Hold, Phase, Progress, Robustness};

/// Everything that follows from one look at a fleet.
///
/// What is next is stored first, on the condition that nobody else did meanwhile. The orders belong to what is stored: they are given
/// only when there is nothing to store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a plan does nothing until it is executed"]
pub struct ResetPlan {
    /// How far the reset is then.
    pub next: Progress,
    /// What is known of the services then.
    pub robustness: Robustness,
    /// What happens to hosts, and why, in the order of their names; then those that are chosen, in theirs.
    pub lines: Vec<Line>,
    /// What is to be done about hosts.
    pub orders: Vec<Order>,
    /// What holds the hosts that are due and not chosen, and how many of them.
    pub holds: BTreeMap<Hold, u64>,
    /// How many hosts are still to be chosen.
    pub due: u64,
}

/// What happens to one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The host.
    pub host: HostName,
    /// Where it comes.
    pub to: To,
    /// Why.
    pub because: Because,
}

/// Where a host comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum To {
    /// To that part of its way.
    Phase(Phase),
    /// To its end.
    Done,
    /// It failed.
    Failed,
    /// It is gone.
    Lost,
    /// It is out of the reset as if it had not been chosen.
    Released,
    /// Another master asks for its reset.
    AskedAgain,
}

/// What is to be done about a host. Each may be repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Drain it like that.
    Drain {
        /// The host.
        host: HostName,
        /// How.
        drain: Drain,
    },
    /// Give it back its jobs.
    EndDrain {
        /// The host.
        host: HostName,
    },
    /// Ask for its reset: only the master that was named does.
    Ask {
        /// The host.
        host: HostName,
        /// Which time a host was chosen.
        id: String,
    },
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}: {}", self.host, self.to, self.because)
    }
}

impl fmt::Display for To {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Phase(phase) => phase.as_str(),
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Lost => "lost",
            Self::Released => "released",
            Self::AskedAgain => "asked again",
        })
    }
}

impl Phase {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chosen => "chosen",
            Self::Draining => "draining",
            Self::Drained => "drained",
            Self::Resetting => "resetting",
            Self::Returned => "returned",
            Self::Checked => "checked",
        }
    }
}
