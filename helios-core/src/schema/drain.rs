//! That a host is to be empty for a while.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::Goal;
use crate::time::Timestamp;

/// That a host is to be empty for a while, as before its machine is restarted.
///
/// The goals of the host stay as they are, and more may be deployed meanwhile; its agent follows each of them
/// as STOP until the drain is taken back. So nothing has to be remembered elsewhere to bring them back, and
/// whoever drains may die.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Drain {
    /// Who drains: the name of a reset.
    pub by: String,
    /// Which drain this is, different each time.
    pub id: String,
    /// Since when.
    pub since: Timestamp,
    /// Which boot of its machine is to end: while that one runs, the agent resets the host, by whatever it was told to do then. A machine
    /// that was installed anew, and remembers nothing, is not reset again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset: Option<String>,
}

impl fmt::Display for Drain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "drained by {}: its jobs are stopped until that is over",
            self.by
        )
    }
}

impl Drain {
    /// What an agent that could not reset its host says among its problems.
    #[must_use]
    pub fn problem(&self, trouble: &str) -> String {
        format!("{}{trouble}", self.mark())
    }

    /// Why this host could not be reset, if that is one of its agent's problems.
    #[must_use]
    pub fn trouble<'a>(&self, problems: &'a [String]) -> Option<&'a str> {
        let mark = self.mark();
        problems
            .iter()
            .find_map(|problem| problem.strip_prefix(&mark))
    }

    fn mark(&self) -> String {
        format!("this host could not be reset ({}): ", self.id)
    }

    /// What an agent does about a goal of a host that is drained like that, or not at all.
    #[must_use]
    pub fn goal(drain: Option<&Self>, goal: Goal) -> Goal {
        match (drain, goal) {
            (Some(_), Goal::Start) => Goal::Stop,
            (_, goal) => goal,
        }
    }
}
