//! Who belongs to a group.

use std::collections::BTreeMap;

use helios_core::cluster::{FleetView, HostGlance};
use helios_core::model::{HostName, HostSelector, JobId};
use helios_core::schema::{
    GoalRecord, GroupMark, HostRecord, HostReport, Keys, TaskReport, Versioned,
};

use super::GroupRecord;

/// A registered host, seen by a group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Host<'a> {
    pub(super) name: &'a HostName,
    pub(super) record: &'a Versioned<HostRecord>,
    /// What its own agent reported last.
    pub(super) report: Option<&'a Versioned<HostReport>>,
    /// Whether its agent is there.
    pub(super) up: bool,
    /// The mark of this very group, if it bears one.
    pub(super) mark: Option<&'a GroupMark>,
}

impl<'a> Host<'a> {
    pub(super) fn find(group: &GroupRecord, fleet: &'a FleetView, name: &HostName) -> Option<Self> {
        Self::of(group, fleet.glance(name)?)
    }

    /// None of which not every goal can be read: one of the group may be among them.
    fn of(group: &GroupRecord, glance: HostGlance<'a>) -> Option<Self> {
        let record = &glance.record.record;
        let mark = record.groups.get(&group.group.name);
        record.goals.unread().is_empty().then_some(Self {
            name: glance.name,
            record: glance.record,
            report: glance.report,
            up: glance.up,
            mark: mark.filter(|mark| mark.group == group.id),
        })
    }

    /// Whether the host belongs to the group, if its labels are known.
    pub(super) fn matches(&self, selectors: &[HostSelector]) -> Option<bool> {
        let report = self.report?;
        Some(HostSelector::all_match(selectors, &report.labels))
    }

    /// What its agent reports of a job.
    pub(super) fn task(&self, job: &JobId) -> Option<&'a TaskReport> {
        self.report?.record.tasks.get(job)
    }

    /// Whether that rollout of the group came to it.
    pub(super) fn bears(&self, rollout: &str) -> bool {
        self.mark.is_some_and(|mark| mark.rollout == rollout)
    }

    /// Whether it can run something now.
    pub(super) fn is_here(&self) -> bool {
        self.up && self.record.drain.is_none()
    }

    /// The value of the label that makes zones.
    pub(super) fn zone(&self, label: Option<&str>) -> &'a str {
        let value = |label| self.report?.record.labels.get(label);
        label.and_then(value).map_or("", String::as_str)
    }
}

/// What a group has deployed on a host, but for `except`.
pub(super) fn old_goals<'a>(
    record: &'a HostRecord,
    group: &'a str,
    except: Option<&'a JobId>,
) -> impl Iterator<Item = (&'a JobId, &'a GoalRecord)> {
    record
        .goals
        .iter()
        .filter(move |(job, goal)| goal.group.as_deref() == Some(group) && except != Some(*job))
}

/// The hosts of a group, in the order of their names.
#[derive(Debug, Default)]
pub(super) struct Members<'a> {
    /// Those whose labels match.
    pub(super) all: Vec<Host<'a>>,
    /// Those that bear the group's mark, and whose labels do not match any more.
    pub(super) strangers: Vec<Host<'a>>,
    /// The number of members in each zone.
    pub(super) zones: BTreeMap<&'a str, u64>,
}

impl<'a> Members<'a> {
    /// A host that has never reported its labels is neither a member nor a stranger: ignorance moves
    /// nothing.
    pub(super) fn of(record: &GroupRecord, fleet: &'a FleetView, per: Option<&str>) -> Self {
        let mut members = Self::default();
        for host in fleet.each().filter_map(|glance| Host::of(record, glance)) {
            match host.matches(&record.group.host_selectors) {
                Some(true) => {
                    *members.zones.entry(host.zone(per)).or_default() += 1;
                    members.all.push(host);
                }
                Some(false) if host.mark.is_some() => members.strangers.push(host),
                _ => {}
            }
        }
        members
    }
}

/// Whether the host has an entry that cannot be read: then nobody can say what is there.
pub(super) fn is_unreadable(fleet: &FleetView, host: &HostName) -> bool {
    if let Some(record) = fleet.hosts.get(host) {
        return !record.goals.unread().is_empty();
    }
    let key = Keys::host(host);
    fleet
        .hosts
        .unreadable()
        .any(|unreadable| unreadable.key == key)
}
