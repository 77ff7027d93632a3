//! S6: the width of a rollout.

use std::collections::BTreeMap;

use helios_core::schema::Keys;
use helios_core::{HostName, TaskState};
use helios_rollout::rolling::{GroupRecord, Rollout, RolloutState};

use super::super::super::trace::{Event, Fleet, What, Write};
use super::super::rollouts::{Labels, Move, in_flight, marked, moves};
use super::{Check, Verdicts, check};

#[derive(Debug, Default)]
pub(super) struct RolloutWidth {
    labels: Labels,
}

impl Check for RolloutWidth {
    check!(
        RolloutWidth,
        "S6",
        "a rollout has no more hosts in flight than it may, counts every host until it is healthy, and moves none without its group's entry"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        let What::Commit { writes, .. } = &event.what else {
            return;
        };
        self.labels.see(writes);
        let wrong = moved_alone(writes)
            .or_else(|| not_awaited(writes))
            .or_else(|| moves(writes).find_map(|group| self.too_wide(group)))
            .or_else(|| moves(writes).find_map(|group| let_go(fleet, group)));
        if let Some(wrong) = wrong {
            verdicts.violated([event.actor], wrong);
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}

/// A host that is moved in a commit that does not rest on the rollout it is moved for.
fn moved_alone(writes: &[Write]) -> Option<String> {
    let mut marked = marked(writes);
    let alone = marked.find(|marked| !moves(writes).any(|group| group.moves(*marked)))?;
    Some(format!(
        "{} is moved for rollout {} of {}, and the commit does not rest on that one",
        alone.host, alone.mark.rollout, alone.group
    ))
}

impl RolloutWidth {
    fn too_wide(&self, group: Move<'_>) -> Option<String> {
        let record = group.is?;
        let is = record.rollout.as_ref()?;
        let flying = in_flight(is);
        let before = group.same_rollout().map(|(was, _)| in_flight(was));
        if before.is_some_and(|before| flying.is_subset(&before)) {
            return None;
        }
        let per = is.policy.per.as_deref();
        let mut zones: BTreeMap<&str, u64> = BTreeMap::new();
        for host in flying {
            *zones
                .entry(self.labels.zone(host.as_str(), per))
                .or_default() += 1;
        }
        let mut zones = zones.into_iter();
        let (zone, count, width) = zones.find_map(|(zone, count)| {
            let width = self.width(record, is, per, zone);
            (count > width).then_some((zone, count, width))
        })?;
        Some(format!(
            "{} has {count} hosts in flight in zone {zone:?}, and may have {width}",
            group.name
        ))
    }

    fn width(&self, record: &GroupRecord, is: &Rollout, per: Option<&str>, zone: &str) -> u64 {
        let members = self.labels.members(&record.group.host_selectors, per, zone);
        is.policy.width(&record.options(), members)
    }
}

/// A host that is started and not waited for.
fn not_awaited(writes: &[Write]) -> Option<String> {
    let mut started = marked(writes).filter(|marked| marked.starts());
    started.find_map(|marked| {
        let group = moves(writes).find(|group| group.moves(marked))?;
        let (_, is) = group.same_rollout()?;
        let awaited = in_flight(is)
            .iter()
            .any(|host| host.as_str() == marked.host);
        (!awaited && is.state == RolloutState::RollingOut).then(|| {
            format!(
                "{} is started by rollout {}, which does not wait for it",
                marked.host, is.id
            )
        })
    })
}

/// A host that is waited for no longer, though it neither is healthy nor failed nor left.
fn let_go(fleet: &Fleet, group: Move<'_>) -> Option<String> {
    let (was, is) = group.same_rollout()?;
    if is.state != RolloutState::RollingOut {
        return None;
    }
    let stays = in_flight(is);
    let gone = in_flight(was).into_iter().filter(|host| {
        !stays.contains(host) && !is.failed.contains_key(*host) && !is.in_flight.contains_key(*host)
    });
    let mut gone = gone
        .filter(|host| is_member(fleet, group.is, host) && is_marked(fleet, host, group.name, was));
    let host = gone.find(|host| !is_healthy(fleet, host, was))?;
    Some(format!(
        "{} waits no longer for {host}, which was not reported to run {}",
        group.name, was.job
    ))
}

fn is_member(fleet: &Fleet, group: Option<&GroupRecord>, host: &HostName) -> bool {
    let Some(group) = group else { return false };
    let registered = fleet.entries.contains_key(&Keys::host(host));
    let report = fleet.entries.get(&Keys::report(host));
    let labels = report.and_then(|report| Some(&report.report()?.labels));
    let matches = labels.is_some_and(|labels| {
        helios_core::model::HostSelector::all_match(&group.group.host_selectors, labels)
    });
    registered && matches
}

/// Whether the rollout came to the host as it is registered now. A commit may come so late that a host which was deregistered when it
/// was decided is there again, as a new one.
fn is_marked(fleet: &Fleet, host: &HostName, group: &str, rollout: &Rollout) -> bool {
    let marks = fleet.wanted(host).map(|host| &host.groups);
    let mark = marks.and_then(|marks| marks.get(group));
    mark.is_some_and(|mark| mark.rollout == rollout.id)
}

fn is_healthy(fleet: &Fleet, host: &HostName, rollout: &Rollout) -> bool {
    let report = fleet.entries.get(&Keys::report(host));
    let task = report.and_then(|report| report.report()?.tasks.get(&rollout.job));
    task.is_some_and(|(state, _)| *state == TaskState::Running)
}
