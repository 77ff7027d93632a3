//! From a cluster to what a reset needs to see of it.

use helios_core::cluster::{FleetView, HostView};
use helios_core::model::{Goal, JobId, TaskState};
use helios_core::schema::{GoalRecord, HostReport};

use super::{Instance, Sight, Sights};
use crate::order::OrderError;

impl Sights {
    /// What is seen of the hosts of a cluster.
    ///
    /// # Errors
    ///
    /// [`OrderError::TooManyHosts`].
    pub fn of(view: &FleetView) -> Result<Self, OrderError> {
        let hosts = view.each();
        Self::new(hosts.map(|host| (host.name.clone(), Sight::of(&host.view()))))
    }
}

/// Looks at the hosts of a cluster again and again: of those of which nothing changed since the last look, nothing is looked at.
#[derive(Debug, Default)]
pub struct Lookout {
    /// The last view, and what was seen in it.
    last: Option<(FleetView, Sights)>,
}

impl Lookout {
    /// What is seen of the hosts now: the same as [`Sights::of`].
    ///
    /// # Errors
    ///
    /// [`OrderError::TooManyHosts`].
    pub fn look(&mut self, view: &FleetView) -> Result<Sights, OrderError> {
        let last = self.last.take();
        let caught_up = last.and_then(|(older, sights)| catch_up(sights, &older, view));
        let sights = caught_up.map_or_else(|| Sights::of(view), Ok)?;
        self.last = Some((view.clone(), sights.clone()));
        Ok(sights)
    }
}

/// Looks at the hosts that changed, if that is enough, because they are the same hosts with the same labels.
fn catch_up(mut sights: Sights, older: &FleetView, newer: &FleetView) -> Option<Sights> {
    let mut changed = Vec::new();
    for name in newer.hosts_changed_since(older) {
        let place = sights.fleet.position(name.as_str());
        match (place, newer.host(name)) {
            // An agent may well be there without being registered.
            (None, None) => {}
            (Some(place), Some(host)) => {
                let sight = Sight::of(&host);
                let member = sights.fleet.members().get(place)?;
                if sight.labels != member.labels {
                    return None;
                }
                changed.push((place, sight));
            }
            (Some(_), None) | (None, Some(_)) => return None,
        }
    }
    sights.renew(changed);
    Some(sights)
}

impl Sight {
    /// What is seen of a host. Only what its own agent reported counts.
    #[must_use]
    pub fn of(host: &HostView) -> Self {
        let record = &host.record;
        let report = host.report.as_ref().map(|report| &*report.record);
        let info = report.and_then(|report| report.host_info.as_ref());
        let goals = || {
            record
                .goals
                .iter()
                .filter(|(_, goal)| goal.goal == Goal::Start)
        };
        let well = |(id, goal): &(&JobId, &GoalRecord)| host.up && runs(report, id, goal);
        let unwell = goals().filter(|goal| !well(goal));
        let instances = goals().map(|goal| Instance {
            service: goal.0.name().to_owned(),
            healthy: well(&goal),
        });
        // Nobody knows whether those are well.
        let unread: Vec<JobId> = record.goals.unread_jobs().collect();
        let unread_instances = unread.iter().map(|id| Instance {
            service: id.name().to_owned(),
            healthy: false,
        });
        let unwell = unwell.map(|(id, _)| id).chain(&unread);
        Self {
            labels: report
                .map(|report| report.labels.clone())
                .unwrap_or_default(),
            epoch: record.epoch.clone(),
            up: host.up,
            boot_id: info.and_then(|info| info.boot_id.clone()),
            up_since: info.and_then(|info| info.up_since),
            reboot_pending: info.and_then(|info| info.reboot_required) == Some(true),
            trouble: record.drain.as_ref().and_then(|drain| {
                let trouble = drain.trouble(&report?.problems)?;
                Some(trouble.to_owned())
            }),
            drain: record.drain.clone(),
            empty: host.up
                && record.drain.is_some()
                && report.is_some_and(|report| is_empty(host, report)),
            instances: instances.chain(unread_instances).collect(),
            unwell: unwell.map(ToString::to_string).collect(),
        }
    }
}

/// Whether the agent wants the job to run, and it does.
fn runs(report: Option<&HostReport>, id: &JobId, goal: &GoalRecord) -> bool {
    let task = report.and_then(|report| report.tasks.get(id));
    task.is_some_and(|task| task.goal == goal.goal && task.state == TaskState::Running)
}

/// Whether the agent has read that all its jobs are to be stopped, and they are.
///
/// An agent that has not read it yet reports a job with the goal START, or not at all.
fn is_empty(host: &HostView, report: &HostReport) -> bool {
    let stopped = report
        .tasks
        .values()
        .all(|task| task.goal != Goal::Start && is_off(task.state));
    stopped
        && host
            .record
            .goals
            .keys()
            .all(|id| report.tasks.contains_key(id))
}

fn is_off(state: TaskState) -> bool {
    matches!(
        state,
        TaskState::Stopped | TaskState::Exited | TaskState::Failed
    )
}
