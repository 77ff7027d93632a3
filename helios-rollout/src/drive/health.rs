//! Which hosts are unwell, as Helios itself sees them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use helios_core::Moment;
use helios_core::cluster::{FleetView, Records};
use helios_core::model::{Goal, HostName, TaskState, ThrottleState};

use super::FollowerRecord;

/// Since when hosts are unwell, as far as this master has seen. A master that starts anew lets every grace begin anew.
#[derive(Debug, Default)]
pub(super) struct Health {
    since: BTreeMap<HostName, Moment>,
}

impl Health {
    /// Takes a look.
    pub(super) fn look(
        &mut self,
        fleet: &FleetView,
        followers: &Records<HostName, FollowerRecord>,
        at: Moment,
    ) {
        let agents = fleet.hosts.names().filter(|host| !is_well(fleet, host));
        let failed = followers
            .iter()
            .filter(|(host, follower)| follower.failed.is_some() && fleet.hosts.get(host).is_none())
            .map(|(host, _)| host);
        let unwell: BTreeSet<HostName> = agents.chain(failed).cloned().collect();
        self.since.retain(|host, _| unwell.contains(host));
        for host in unwell {
            self.since.entry(host).or_insert(at);
        }
    }

    /// The hosts that have been unwell for that long.
    pub(super) fn unwell(&self, grace: Duration, at: Moment) -> BTreeSet<HostName> {
        let long = self
            .since
            .iter()
            .filter(|(_, since)| at.since(**since) >= grace);
        long.map(|(host, _)| host.clone()).collect()
    }
}

/// Whether a host's agent is there, and no task that should run has failed.
fn is_well(fleet: &FleetView, host: &HostName) -> bool {
    let Some(view) = fleet.host(host) else {
        return true;
    };
    let tasks = view.report.iter().flat_map(|report| report.tasks.values());
    let mut wrong = tasks.filter(|task| {
        task.goal == Goal::Start
            && (task.state == TaskState::Failed || task.throttled != ThrottleState::No)
    });
    view.up && wrong.next().is_none()
}
