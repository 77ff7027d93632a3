//! The hosts that a rollout goes over.

use std::collections::BTreeMap;

use helios_core::model::HostName;
use serde::{Deserialize, Serialize};

use super::OrderError;

/// One host, as far as a rollout cares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its name, unique in the fleet.
    pub host: HostName,
    /// What strata, rules and scopes are made of.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Its capacity in any unit, at least 1; a share of the fleet is a share of capacity.
    #[serde(default = "one")]
    pub weight: u32,
}

fn one() -> u32 {
    1
}

impl Member {
    /// A host of weight one.
    #[must_use]
    pub fn new(host: HostName, labels: BTreeMap<String, String>) -> Self {
        Self {
            host,
            labels,
            weight: 1,
        }
    }

    /// The value of a label, or nothing.
    #[must_use]
    pub fn label(&self, key: &str) -> &str {
        self.labels.get(key).map_or("", String::as_str)
    }
}

/// The most hosts a fleet may have.
pub const MEMBERS_MAX: usize = 10_000_000;

/// A set of members with different names, found by name in constant time.
///
/// The order in which they were given does not matter to anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Member>", into = "Vec<Member>")]
pub struct Fleet {
    /// Sorted by host.
    members: Vec<Member>,
    /// Open addressing: a slot holds one more than a place in `members`, or zero.
    slots: Vec<u32>,
}

impl Fleet {
    /// The fleet of these members.
    ///
    /// # Errors
    ///
    /// [`OrderError::DuplicateHost`] if two have the same name, [`OrderError::ZeroWeight`] if one has no weight,
    /// [`OrderError::TooManyHosts`] above [`MEMBERS_MAX`].
    pub fn new(members: impl IntoIterator<Item = Member>) -> Result<Self, OrderError> {
        let mut members: Vec<Member> = members.into_iter().collect();
        if members.len() > MEMBERS_MAX {
            return Err(OrderError::TooManyHosts {
                count: members.len(),
            });
        }
        members.sort_unstable_by(|a, b| a.host.cmp(&b.host));
        let same = |pair: &[Member]| matches!(pair, [a, b] if a.host == b.host);
        if let Some([twice, ..]) = members.windows(2).find(|pair| same(pair)) {
            return Err(OrderError::DuplicateHost {
                host: twice.host.clone(),
            });
        }
        if let Some(member) = members.iter().find(|member| member.weight == 0) {
            return Err(OrderError::ZeroWeight {
                host: member.host.clone(),
            });
        }
        let slots = slots(&members);
        Ok(Self { members, slots })
    }

    /// All members, sorted by name.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Where a host is in [`Fleet::members`].
    #[must_use]
    pub fn position(&self, host: &str) -> Option<usize> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut slot = first_slot(host) & mask;
        loop {
            let place = usize::try_from(self.slots.get(slot)?.checked_sub(1)?).ok()?;
            if self.members.get(place)?.host.as_str() == host {
                return Some(place);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// The member of that name.
    #[must_use]
    pub fn get(&self, host: &str) -> Option<&Member> {
        self.members.get(self.position(host)?)
    }

    /// The sum of all weights.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.members
            .iter()
            .map(|member| u64::from(member.weight))
            .sum()
    }
}

impl TryFrom<Vec<Member>> for Fleet {
    type Error = OrderError;

    fn try_from(members: Vec<Member>) -> Result<Self, OrderError> {
        Self::new(members)
    }
}

impl From<Fleet> for Vec<Member> {
    fn from(fleet: Fleet) -> Self {
        fleet.members
    }
}

/// At least half of the slots stay empty, so that a search ends soon.
fn slots(members: &[Member]) -> Vec<u32> {
    let mut slots = vec![0; (members.len() * 2).next_power_of_two().max(2)];
    let mask = slots.len() - 1;
    for (place, member) in (1_u32..).zip(members) {
        let mut slot = first_slot(member.host.as_str()) & mask;
        while slots.get(slot).is_some_and(|taken| *taken != 0) {
            slot = (slot + 1) & mask;
        }
        if let Some(free) = slots.get_mut(slot) {
            *free = place;
        }
    }
    slots
}

/// Where to begin to look. It decides how long that takes, never what is found, so it is quick instead of frozen.
fn first_slot(host: &str) -> usize {
    let (words, rest) = host.as_bytes().as_chunks::<8>();
    let rest = rest
        .iter()
        .fold(1_u64, |word, byte| (word << 8) | u64::from(*byte));
    let words = words
        .iter()
        .map(|word| u64::from_le_bytes(*word))
        .chain([rest]);
    let mixed = words.fold(0_u64, |state, word| {
        let product = (state ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        product ^ (product >> 32)
    });
    usize::try_from(mixed >> 16).unwrap_or(0)
}
