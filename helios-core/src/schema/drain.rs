//! That a host is to be empty for a while.

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
    /// Whether the host is to reset itself now, by whatever its agent was told to do then.
    #[serde(default)]
    pub reset: bool,
}

impl Drain {
    /// What an agent does about a goal of a host that is drained like that, or not at all.
    #[must_use]
    pub fn goal(drain: Option<&Self>, goal: Goal) -> Goal {
        match (drain, goal) {
            (Some(_), Goal::Start) => Goal::Stop,
            (_, goal) => goal,
        }
    }
}
