//! The hosts that a rollout goes over.

use std::collections::BTreeMap;

use helios_core::model::HostName;
use serde::{Deserialize, Serialize};

use super::OrderError;
use super::index::Index;

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
    index: Index,
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
        let index = Index::of(&members);
        Ok(Self { members, index })
    }

    /// All members, sorted by name.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Where a host is in [`Fleet::members`].
    #[must_use]
    pub fn position(&self, host: &str) -> Option<usize> {
        self.index.find(host)
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
