//! Floors and ceilings.

use std::collections::{BTreeMap, BTreeSet};

use helios_core::model::HostSelector;
use serde::{Deserialize, Serialize};

use super::OrderError;
use super::hash::{Purpose, Salted};
use super::sequence::{Sequence, Stratum};
use crate::share::Share;

/// A number of hosts in a stratum: "30% of the hosts in a role, but at least one" is a floor of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    /// So many hosts.
    Hosts(u64),
    /// That part of the stratum's hosts; rounded up in a floor, down in a ceiling.
    Share(Share),
}

/// A floor, a ceiling or both, for the strata that a selector picks.
///
/// In a stratum the count is `min(ceiling, max(floor, proportional))`. Each part only grows with the curve, so the whole does.
/// Floors come on top of the curve: with many small strata the real share can be above the one asked for, which a
/// [preview](crate::variable::Preview) states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What refusals and explanations call it.
    pub name: String,
    /// Strata whose labels fulfil all of these. None: all strata. Only labels that make strata can be asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<HostSelector>,
    /// At least so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<Floor>,
    /// At most so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<Ceiling>,
}

impl Rule {
    /// So many hosts of every stratum before anything else moves: canaries.
    #[must_use]
    pub fn at_least(name: impl Into<String>, hosts: u64) -> Self {
        Self {
            name: name.into(),
            scope: Vec::new(),
            floor: Some(Floor {
                at_least: Amount::Hosts(hosts),
                ramp: Share::ZERO,
            }),
            ceiling: None,
        }
    }
}

/// At least so many hosts of a stratum, early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Floor {
    /// How many.
    pub at_least: Amount,
    /// The strata get their floors one after the other, in the order of a hash, over this first part of the curve. Zero: all at once.
    #[serde(default)]
    pub ramp: Share,
}

/// At most so many hosts of a stratum, for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Ceiling {
    /// How many.
    pub at_most: Amount,
    /// Until the curve reaches this share. A ceiling ends at 100% at the latest, for else the rollout could not.
    #[serde(default = "whole")]
    pub until: Share,
}

fn whole() -> Share {
    Share::ONE
}

/// The limits of one stratum, in hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) floor: u64,
    /// The share from which the floor counts.
    pub(crate) floor_from: Share,
    pub(crate) ceiling: u64,
    /// The share from which the ceiling does not count any more.
    pub(crate) ceiling_until: Share,
}

/// What the rules say about every stratum of a sequence.
///
/// The largest floor and the smallest ceiling count; of several ceilings, the one that is effective longest.
///
/// # Errors
///
/// [`OrderError::Infeasible`] names a floor and a ceiling that cannot both hold, [`OrderError::DuplicateRule`] a name used twice.
pub(crate) fn bounds(
    rules: &[Rule],
    sequence: &Sequence,
    keys: &[String],
    salt: &str,
) -> Result<Vec<Bounds>, OrderError> {
    let mut names = BTreeSet::new();
    if let Some(rule) = rules.iter().find(|rule| !names.insert(rule.name.as_str())) {
        return Err(OrderError::DuplicateRule {
            name: rule.name.clone(),
        });
    }
    let ranks = ramp_ranks(sequence.strata(), salt);
    let strata = sequence.strata().iter().zip(ranks);
    strata
        .map(|(stratum, place)| bounds_of(rules, stratum, keys, place))
        .collect()
}

/// `place` is the stratum's place among all, as a share.
fn bounds_of(
    rules: &[Rule],
    stratum: &Stratum,
    keys: &[String],
    place: Share,
) -> Result<Bounds, OrderError> {
    let labels: BTreeMap<String, String> = keys
        .iter()
        .cloned()
        .zip(stratum.path.iter().cloned())
        .collect();
    let applies =
        |rule: &&Rule| rule.scope.is_empty() || HostSelector::all_match(&rule.scope, &labels);
    let floors = || {
        let rules = rules.iter().filter(applies);
        rules.filter_map(|rule| Some((rule, rule.floor?, rule.floor?.hosts(stratum.hosts))))
    };
    let ceilings = || {
        let rules = rules.iter().filter(applies);
        rules.filter_map(|rule| Some((rule, rule.ceiling?, rule.ceiling?.hosts(stratum.hosts))))
    };
    for (floor_rule, _, at_least) in floors() {
        if let Some((ceiling_rule, _, at_most)) =
            ceilings().find(|(_, _, at_most)| *at_most < at_least)
        {
            return Err(OrderError::Infeasible {
                stratum: stratum.path.join("/"),
                hosts: stratum.hosts,
                floor: floor_rule.name.clone(),
                at_least,
                ceiling: ceiling_rule.name.clone(),
                at_most,
            });
        }
    }
    let floor = floors().max_by_key(|(_, _, at_least)| *at_least);
    Ok(Bounds {
        floor: floor.map_or(0, |(_, _, at_least)| at_least),
        floor_from: floor.map_or(Share::ONE, |(_, floor, _)| {
            floor.ramp.times(place).max(Share::LEAST)
        }),
        ceiling: ceilings()
            .map(|(_, _, at_most)| at_most)
            .min()
            .unwrap_or(u64::MAX),
        ceiling_until: ceilings()
            .map(|(_, ceiling, _)| ceiling.until)
            .max()
            .unwrap_or(Share::ZERO),
    })
}

/// Where each stratum stands in the order of a hash, as a share of all strata.
fn ramp_ranks(strata: &[Stratum], salt: &str) -> Vec<Share> {
    let salted = Salted::new(Purpose::Stratum, salt);
    let mut order: Vec<(u64, usize)> = strata
        .iter()
        .enumerate()
        .map(|(index, stratum)| (salted.hash(&stratum.path.join("\u{0}")), index))
        .collect();
    order.sort_unstable();
    let mut ranks = vec![Share::ZERO; strata.len()];
    for (rank, (_, index)) in (0..).zip(order) {
        if let Some(slot) = ranks.get_mut(index) {
            *slot = Share::ratio(rank, strata.len() as u64);
        }
    }
    ranks
}

impl Floor {
    /// Never more than there are.
    fn hosts(self, of: u64) -> u64 {
        match self.at_least {
            Amount::Hosts(count) => count.min(of),
            Amount::Share(share) => share.of_ceil(of),
        }
    }
}

impl Ceiling {
    fn hosts(self, of: u64) -> u64 {
        match self.at_most {
            Amount::Hosts(count) => count,
            Amount::Share(share) => share.of_floor(of),
        }
    }
}
