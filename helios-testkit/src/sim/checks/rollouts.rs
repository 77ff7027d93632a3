//! What a commit does to rollouts, as the checks of rollouts look at it.

use std::collections::{BTreeMap, BTreeSet};

use helios_core::HostName;
use helios_core::model::HostSelector;
use helios_core::schema::GroupMark;
use helios_rollout::rolling::{GroupRecord, Phase, Rollout};

use super::super::trace::{Fact, HostFact, Write};

/// A group that a commit writes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Move<'a> {
    pub(super) name: &'a str,
    pub(super) was: Option<&'a GroupRecord>,
    pub(super) is: Option<&'a GroupRecord>,
}

/// A host that a commit marks for a rollout.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marked<'a> {
    pub(super) host: &'a str,
    pub(super) group: &'a str,
    pub(super) mark: &'a GroupMark,
    was: Option<&'a HostFact>,
    is: &'a HostFact,
}

/// The groups that a commit writes.
pub(super) fn moves(writes: &[Write]) -> impl Iterator<Item = Move<'_>> {
    writes.iter().filter_map(|write| {
        let name = write.key.as_str().strip_prefix("groups/")?;
        Some(Move {
            name,
            was: write.was.group(),
            is: write.is.group(),
        })
    })
}

/// The marks of hosts that a commit sets anew. A host that is registered anew brings none.
pub(super) fn marked(writes: &[Write]) -> impl Iterator<Item = Marked<'_>> {
    let hosts = writes.iter().filter_map(|write| {
        let host = write.key.as_str().strip_prefix("hosts/")?;
        let (Fact::Host(is), was) = (&write.is, write.was.host()) else {
            return None;
        };
        Some((host, was.map(|was| &**was), &**is))
    });
    hosts.flat_map(|(host, was, is)| {
        let marks = is.groups.iter();
        let old = move |group: &str| was.and_then(|was| was.groups.get(group));
        let new = marks.filter(move |(group, mark)| old(group) != Some(*mark));
        new.map(move |(group, mark)| Marked {
            host,
            group,
            mark,
            was,
            is,
        })
    })
}

impl<'a> Move<'a> {
    /// The rollout before and after, if both are the same one.
    pub(super) fn same_rollout(self) -> Option<(&'a Rollout, &'a Rollout)> {
        let was = self.was?.rollout.as_ref()?;
        let is = self.is?.rollout.as_ref()?;
        (was.id == is.id).then_some((was, is))
    }

    /// Whether the hosts of that mark belong to the rollout that the group had before the commit.
    pub(super) fn moves(self, marked: Marked<'_>) -> bool {
        let was = self.was.and_then(|group| group.rollout.as_ref());
        self.name == marked.group && was.is_some_and(|was| was.id == marked.mark.rollout)
    }
}

impl Marked<'_> {
    /// Whether the host gets a job that it did not have.
    pub(super) fn starts(self) -> bool {
        let had = |job| self.was.is_some_and(|was| was.goals.contains_key(job));
        self.is.goals.keys().any(|job| !had(job))
    }
}

/// The hosts that a rollout waits for, but for those that leave the group.
pub(super) fn in_flight(rollout: &Rollout) -> BTreeSet<&HostName> {
    let flights = rollout.in_flight.iter();
    flights
        .filter(|(_, flight)| flight.phase != Phase::Leaving)
        .map(|(host, _)| host)
        .collect()
}

/// What the hosts last said of their labels.
#[derive(Debug, Default)]
pub(super) struct Labels(BTreeMap<String, BTreeMap<String, String>>);

impl Labels {
    pub(super) fn see(&mut self, writes: &[Write]) {
        for write in writes {
            if let (Some(host), Some(report)) = (
                write.key.as_str().strip_prefix("status/"),
                write.is.report(),
            ) && self.0.get(host) != Some(&report.labels)
            {
                self.0.insert(host.to_owned(), report.labels.clone());
            }
        }
    }

    /// The value of that label; nothing, if the host has none.
    pub(super) fn zone(&self, host: &str, label: Option<&str>) -> &str {
        let labels = label.and_then(|label| self.0.get(host)?.get(label));
        labels.map_or("", String::as_str)
    }

    /// How many hosts of the zone ever belonged to such a group.
    pub(super) fn members(
        &self,
        selectors: &[HostSelector],
        label: Option<&str>,
        zone: &str,
    ) -> u64 {
        let all = self.0.iter();
        let members = all.filter(|(host, labels)| {
            HostSelector::all_match(selectors, labels) && self.zone(host, label) == zone
        });
        u64::try_from(members.count()).unwrap_or(u64::MAX)
    }
}
