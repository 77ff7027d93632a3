//! What a rollout must not make worse.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::GuardError;
use crate::share::Share;

/// One thing that must not get worse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Objective {
    /// What it is called.
    pub name: String,
    /// What to ask an evidence source: a [`Query`](crate::drive::Query) as text.
    pub query: String,
    /// How many thousandths more events than with the old value are tolerable: 500 is "half as many again".
    pub margin_permille: u32,
    /// Shares at which the clock holds until harm beyond the margin is excluded.
    #[serde(default)]
    pub gates: Vec<Share>,
    /// What ends the rollout.
    pub on_harm: Action,
    /// How long the clock may hold at a gate, or go without any evidence, before the rollout ends as if harm had been shown.
    #[serde(with = "crate::curve::millis")]
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub dead_man: Duration,
}

/// How a guard ends a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "GuardAction")
)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Everybody keeps what they have.
    Hold,
    /// Everybody goes back.
    RollBack,
}

/// All objectives of one rollout and the risk of stopping a good one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Guard {
    /// The probability, in parts per million, that *any* objective *ever* shows harm in a rollout that does none. It is divided evenly among
    /// the objectives, which holds whatever they have to do with each other.
    pub alpha_ppm: u32,
    /// The objectives.
    pub objectives: Vec<Objective>,
    /// Whether to watch on after the last host has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bake: Option<Bake>,
}

/// Watching on once every host that shall has the new value: a rollout ends only after that.
///
/// There may be no host with the old value left to compare with. So each objective is compared with what was counted on hosts with the
/// old value before, by a [`ChangeDetector`](super::ChangeDetector) that looks for its margin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Bake {
    /// For how long.
    #[serde(with = "crate::curve::millis")]
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub length: Duration,
    /// After how many looks without any harm, on average, there may be a false alarm. It is no probability: the longer the bake, the likelier.
    pub run_length: u64,
}

impl Objective {
    /// Whether masters ask for its evidence. With an empty query, whoever has it tells them.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        !self.query.is_empty()
    }
}

impl Guard {
    /// Whether the guard means anything.
    ///
    /// # Errors
    ///
    /// [`GuardError::Invalid`] says which number is out of its range.
    pub fn check(&self) -> Result<(), GuardError> {
        let refuse = |why| Err(GuardError::Invalid { why });
        let name = |index: usize| self.objectives.get(index).map(|objective| &objective.name);
        if self.objectives.is_empty() {
            return refuse("it needs at least one objective");
        }
        if !(1..=500_000).contains(&self.alpha_ppm) || self.objective_alpha_ppm() == 0 {
            return refuse(
                "alpha must be from 1 to 500000 parts per million, and one for each objective",
            );
        }
        if (0..self.objectives.len())
            .any(|index| (0..index).any(|other| name(other) == name(index)))
        {
            return refuse("two objectives have one name");
        }
        if self
            .objectives
            .iter()
            .any(|objective| !(1..=1_000_000).contains(&objective.margin_permille))
        {
            return refuse("a margin must be from 1 to 1000000 thousandths");
        }
        if self
            .bake
            .is_some_and(|bake| bake.length.is_zero() || bake.run_length < 2)
        {
            return refuse("a bake needs a length, and at least two looks between false alarms");
        }
        if self
            .objectives
            .iter()
            .any(|objective| objective.dead_man.is_zero())
        {
            return refuse("a dead-man limit of zero would end every rollout at once");
        }
        Ok(())
    }

    /// What each objective gets of alpha.
    pub(crate) fn objective_alpha_ppm(&self) -> u32 {
        u32::try_from(self.objectives.len())
            .ok()
            .and_then(|count| self.alpha_ppm.checked_div(count))
            .unwrap_or(0)
    }
}
