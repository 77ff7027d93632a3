//! A gradual change, as data.

use std::collections::BTreeMap;

use helios_core::Timestamp;
use helios_core::model::{HostName, HostSelector};
use serde::{Deserialize, Serialize};

use super::Value;
use crate::curve::{Curve, Descent, OnResume, Pauses};
use crate::order::{Order, Told};
use crate::share::Share;

/// A gradual change of a variable: what, how fast, for whom, in which order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Transition {
    /// What changes.
    pub change: Change,
    /// How fast.
    pub curve: Curve,
    /// Where it stops: this share of the hosts in scope has changed when the curve ends.
    #[serde(default = "whole")]
    pub upto: Share,
    /// Which hosts: those that fulfil every selector. None: all hosts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<HostSelector>,
    /// In which order.
    pub order: Order,
    /// What a pause does to the end.
    #[serde(default)]
    pub on_resume: OnResume,
}

impl Transition {
    /// That change on all hosts, as fast as the curve and in that order; a pause moves the end.
    #[must_use]
    pub fn new(change: Change, curve: Curve, order: Order) -> Self {
        Self {
            change,
            curve,
            upto: whole(),
            scope: Vec::new(),
            order,
            on_resume: OnResume::default(),
        }
    }
}

fn whole() -> Share {
    Share::ONE
}

/// What changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Hosts in scope that hold `from` will hold `to`; hosts that hold something else are left alone.
    Replace {
        /// What they hold.
        from: Value,
        /// What they will hold.
        to: Value,
    },
    /// The hosts in scope will hold these values in these shares. As few hosts move as possible: half the sum of the differences.
    /// A host that joins while it runs takes no part.
    Mix(Vec<Part>),
}

impl Change {
    /// Hosts that hold `from` will hold `to`.
    #[must_use]
    pub fn replace(from: impl Into<Value>, to: impl Into<Value>) -> Self {
        Self::Replace {
            from: from.into(),
            to: to.into(),
        }
    }
}

/// One value of a mix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The value.
    pub value: Value,
    /// How many of the hosts hold it.
    pub share: Share,
}

/// A transition that has been started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Running {
    /// What was started.
    pub transition: Transition,
    /// When it was accepted; its curve may start later.
    pub accepted: Timestamp,
    /// Its stops.
    pub pauses: Pauses,
    /// Who has been told, in order.
    pub told: Told,
    /// The way back, if that has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<Rollback>,
    /// For a mix: which host goes where, fixed at the start.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) moves: BTreeMap<HostName, Value>,
}

/// A transition on its way back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// How fast.
    pub descent: Descent,
    /// Its stops.
    pub pauses: Pauses,
    /// How many hosts had been told.
    pub peak: u64,
}

impl Running {
    /// Whether the clock that counts, the one of the rollback if there is one, is stopped.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.rollback
            .as_ref()
            .map_or(&self.pauses, |rollback| &rollback.pauses)
            .is_paused()
    }

    /// The clock that counts.
    pub(super) fn clock(&mut self) -> &mut Pauses {
        match &mut self.rollback {
            Some(rollback) => &mut rollback.pauses,
            None => &mut self.pauses,
        }
    }
}
