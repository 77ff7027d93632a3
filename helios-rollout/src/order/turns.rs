//! The share at which each host changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use helios_core::model::{HostName, HostSelector};
use serde::{Deserialize, Serialize};

use super::OrderError;
use super::fleet::{Fleet, Member};
use super::hash::{Purpose, Salted, turn_of};
use super::rules::{self, Bounds, Rule};
use super::sequence::{Sequence, Sorting, Stratum};
use crate::share::Share;

/// How hosts are chosen, as data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Makes this rollout's order its own. See [`Sorting::salt`].
    pub salt: String,
    /// The labels that make strata, outermost first: `["role"]` or `["region", "zone", "role"]`.
    #[serde(default)]
    pub strata: Vec<String>,
    /// Which contract holds when hosts join and leave.
    #[serde(default)]
    pub mode: Mode,
    /// Floors and ceilings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// See [`Sorting::rotation`].
    #[serde(default)]
    pub rotation: Share,
}

/// Three ways to choose, one contract: a host changes at one share, its turn, and never back while the curve rises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Mode {
    /// The exact order; and whoever has been told stays told until a rollback, whoever joins or leaves.
    #[default]
    Ratchet,
    /// The exact order of the present members, and nothing else: a host may be taken back when others join or leave.
    Exact,
    /// A host's own hash against the share: needs no list of members, but roles get what chance gives them, and rules cannot hold.
    Threshold,
}

/// Who has been told the new value, in the order of telling. A host that leaves stays in it, should it come back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Told {
    /// Shared, since states are copied far more often than hosts are told.
    hosts: Arc<BTreeMap<HostName, u64>>,
}

impl Told {
    /// Whether the host has been told.
    #[must_use]
    pub fn contains(&self, host: &HostName) -> bool {
        self.hosts.contains_key(host)
    }

    /// When it was told, counted in tellings.
    #[must_use]
    pub fn place(&self, host: &HostName) -> Option<u64> {
        self.hosts.get(host).copied()
    }

    /// How many have been told.
    #[must_use]
    pub fn len(&self) -> usize {
        self.hosts.len()
    }

    /// Whether nobody has been told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }

    /// The hosts, sorted by name.
    pub fn hosts(&self) -> impl Iterator<Item = &HostName> {
        self.hosts.keys()
    }

    /// Notes that hosts have been told, in this order; a second time changes nothing.
    pub fn tell_all(&mut self, hosts: impl IntoIterator<Item = HostName>) {
        let next = self.hosts.values().max().map_or(0, |last| last + 1);
        let mut hosts = (next..).zip(hosts).peekable();
        if hosts.peek().is_none() {
            return;
        }
        let known = Arc::make_mut(&mut self.hosts);
        for (place, host) in hosts {
            known.entry(host).or_insert(place);
        }
    }

    /// Notes that a host has been told the old value again.
    pub fn revoke(&mut self, host: &HostName) {
        Arc::make_mut(&mut self.hosts).remove(host);
    }
}

/// For every host of a fleet, the least share at which it has changed: its turn.
///
/// All the mathematics of an order ends up in this one number per host. A decision is a comparison; a forecast is the
/// inverse of a curve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turns {
    /// By index into the fleet's members; `None` for those that do not take part.
    turns: Vec<Option<Turn>>,
    strata: Vec<Stratum>,
    /// How many take part.
    hosts: u64,
}

/// One host's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The least share at which it has changed.
    pub share: Share,
    /// Its place in the line, from 0.
    pub place: u64,
    /// Its stratum, as an index into [`Turns::strata`].
    pub stratum: usize,
    /// Which rule decided the share.
    pub by: Cause,
}

/// What decided a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// Its place in the line.
    Proportion,
    /// A floor of its stratum let it go early.
    Floor,
    /// A ceiling of its stratum held it back.
    Ceiling,
    /// It has been told before.
    Told,
    /// Hosts told before are in excess, so it waits for them to be absorbed.
    Excess,
    /// Its own hash.
    Threshold,
}

impl Order {
    /// The exact order over those strata, outermost first, in which whoever has been told stays told; without rules.
    #[must_use]
    pub fn new<S: Into<String>>(
        salt: impl Into<String>,
        strata: impl IntoIterator<Item = S>,
    ) -> Self {
        Self {
            salt: salt.into(),
            strata: strata.into_iter().map(Into::into).collect(),
            mode: Mode::default(),
            rules: Vec::new(),
            rotation: Share::ZERO,
        }
    }

    /// The turns of the members that `included` names, by index.
    ///
    /// # Errors
    ///
    /// [`OrderError::Infeasible`] and [`OrderError::DuplicateRule`], see there.
    pub fn turns(
        &self,
        fleet: &Fleet,
        included: &[usize],
        told: &Told,
    ) -> Result<Turns, OrderError> {
        let first = |member: &Member| match self.mode {
            Mode::Ratchet => told.place(&member.host),
            Mode::Exact | Mode::Threshold => None,
        };
        let sorting = Sorting {
            salt: &self.salt,
            strata: &self.strata,
            rotation: self.rotation,
        };
        let sequence = Sequence::of(fleet, included, &sorting, first);
        let bounds = rules::bounds(&self.rules, &sequence, &self.strata, &self.salt)?;
        let salted = Salted::new(Purpose::Host, &self.salt);
        let mut turns = vec![None; fleet.members().len()];
        let mut line = Vec::new();
        let mut anybody_told = false;
        for (index, place) in (0..).zip(sequence.places()) {
            let Some(member) = fleet.members().get(place.member) else {
                continue;
            };
            let proportion = match self.mode {
                Mode::Threshold => (
                    turn_of(salted.hash(member.host.as_str()), self.rotation),
                    Cause::Threshold,
                ),
                Mode::Exact | Mode::Ratchet => (
                    Share::middle_of(place.before, place.weight, sequence.weight()),
                    Cause::Proportion,
                ),
            };
            let bounds = bounds
                .get(place.stratum)
                .filter(|_| self.mode != Mode::Threshold);
            let (share, by) =
                bounds.map_or(proportion, |bounds| bounds.apply(place.rank, proportion));
            let turn = Turn {
                share: share.max(Share::LEAST),
                place: index,
                stratum: place.stratum,
                by,
            };
            let is_told = first(member).is_some();
            anybody_told |= is_told;
            line.push(Claim {
                from: match by {
                    Cause::Floor => proportion.0,
                    _ if is_told => Share::ZERO,
                    _ => turn.share,
                },
                place: index,
                weight: place.weight,
                member: place.member,
                waits: !is_told && by != Cause::Floor,
            });
            let told = Turn {
                share: Share::LEAST,
                by: Cause::Told,
                ..turn
            };
            if let Some(slot) = turns.get_mut(place.member) {
                *slot = Some(if is_told { told } else { turn });
            }
        }
        if anybody_told {
            absorb_excess(&mut turns, line, sequence.weight());
        }
        Ok(Turns {
            turns,
            hosts: sequence.places().len() as u64,
            strata: sequence.strata().to_vec(),
        })
    }

    /// Whether a member is one that the selectors pick; without selectors, everybody is.
    pub(crate) fn picks(scope: &[HostSelector], member: &Member) -> bool {
        scope.is_empty() || HostSelector::all_match(scope, &member.labels)
    }
}

/// One host among those that the curve asks for.
struct Claim {
    /// From which share on it counts as one of them. A host that a floor lets go early comes in addition until its own place in the line
    /// is reached; so a floor delays nobody, and telling such a host changes no forecast.
    from: Share,
    place: u64,
    weight: u64,
    member: usize,
    /// Whether it can wait: it has not been told, and no floor needs it.
    waits: bool,
}

/// Delays hosts so that those told before, which no longer need to be the first, are not exceeded in number: a host that is still to be
/// told waits until the curve asks for all that count before it.
fn absorb_excess(turns: &mut [Option<Turn>], mut line: Vec<Claim>, total: u64) {
    line.sort_unstable_by_key(|claim| (claim.from, claim.place));
    let mut before = 0;
    for claim in line {
        let earliest = Share::middle_of(before, claim.weight, total);
        before += claim.weight;
        if claim.waits
            && earliest > claim.from
            && let Some(Some(slot)) = turns.get_mut(claim.member)
        {
            (slot.share, slot.by) = (earliest, Cause::Excess);
        }
    }
}

impl Bounds {
    /// `count >= rank + 1` if and only if the share has reached what this returns, for `count = min(ceiling, max(floor, proportional))`.
    fn apply(self, rank: u64, proportion: (Share, Cause)) -> (Share, Cause) {
        let lifted = if rank < self.floor && self.floor_from < proportion.0 {
            (self.floor_from, Cause::Floor)
        } else {
            proportion
        };
        if rank >= self.ceiling && self.ceiling_until > lifted.0 {
            (self.ceiling_until, Cause::Ceiling)
        } else {
            lifted
        }
    }
}

impl Turns {
    /// The turns on the way back from `pivot`, when `peak` hosts had been told: who has not changed has none.
    ///
    /// With a ratchet the order of telling is what happened, so the last told is the first to go back; otherwise that is so because the
    /// order is fixed.
    pub(crate) fn on_the_way_back(
        self,
        fleet: &Fleet,
        mode: Mode,
        told: &Told,
        peak: u64,
        pivot: Share,
    ) -> Self {
        let mut turns = vec![None; self.turns.len()];
        match mode {
            Mode::Exact | Mode::Threshold => {
                turns = self
                    .turns
                    .iter()
                    .map(|turn| turn.filter(|turn| turn.share <= pivot))
                    .collect();
            }
            Mode::Ratchet => {
                let mut hosts: Vec<(u64, &HostName)> = told
                    .hosts
                    .iter()
                    .map(|(host, place)| (*place, host))
                    .collect();
                hosts.sort_unstable();
                for (rank, (_, host)) in (0..).zip(hosts) {
                    let Some(member) = fleet.position(host.as_str()) else {
                        continue;
                    };
                    let share = Share::middle_of(rank, 1, peak)
                        .times(pivot)
                        .max(Share::LEAST);
                    let turn = self.of(member).map(|turn| Turn {
                        share,
                        by: Cause::Told,
                        ..turn
                    });
                    if let Some(slot) = turns.get_mut(member) {
                        *slot = turn;
                    }
                }
            }
        }
        Self { turns, ..self }
    }

    /// The turn of the member with that index; `None` if it does not take part.
    #[must_use]
    pub fn of(&self, member: usize) -> Option<Turn> {
        self.turns.get(member).copied().flatten()
    }

    /// The members that take part and their turns, by index.
    pub fn iter(&self) -> impl Iterator<Item = (usize, Turn)> {
        self.turns
            .iter()
            .enumerate()
            .filter_map(|(member, turn)| Some((member, (*turn)?)))
    }

    /// The strata, sorted by path.
    #[must_use]
    pub fn strata(&self) -> &[Stratum] {
        &self.strata
    }

    /// How many hosts take part.
    #[must_use]
    pub fn hosts(&self) -> u64 {
        self.hosts
    }
}
