//! From a cluster to what a reset needs to see of it.

use std::sync::Arc;

use helios_core::cluster::{FleetView, HostGlance, HostView};
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
    sights: Option<Sights>,
    /// What the sights were made of, by place.
    seen: Vec<HostView>,
}

impl Lookout {
    /// What is seen of the hosts now: the same as [`Sights::of`].
    ///
    /// # Errors
    ///
    /// [`OrderError::TooManyHosts`].
    pub fn look(&mut self, view: &FleetView) -> Result<Sights, OrderError> {
        if let Some(sights) = self.sights.as_mut()
            && catch_up(sights, &mut self.seen, view)
        {
            return Ok(sights.clone());
        }
        let sights = Sights::of(view)?;
        self.seen = view.each().map(|host| host.view()).collect();
        self.sights = Some(sights.clone());
        Ok(sights)
    }
}

/// Looks at the hosts that changed; whether that was enough, because they are the same hosts with the same labels.
fn catch_up(sights: &mut Sights, seen: &mut [HostView], view: &FleetView) -> bool {
    if view.hosts.len() != seen.len() {
        return false;
    }
    let mut changed = Vec::new();
    let members = sights.fleet.members().iter().zip(seen);
    for (place, (host, (member, seen))) in view.each().zip(members).enumerate() {
        if *host.name != member.host {
            return false;
        }
        if is_same(&host, seen) {
            continue;
        }
        *seen = host.view();
        let sight = Sight::of(seen);
        if sight.labels != member.labels {
            return false;
        }
        changed.push((place, sight));
    }
    sights.renew(changed);
    true
}

/// Whether nothing was stored for the host meanwhile: views share what did not change.
fn is_same(host: &HostGlance<'_>, seen: &HostView) -> bool {
    let reports = match (host.report, &seen.report) {
        (Some(now), Some(then)) => Arc::ptr_eq(&now.record, &then.record),
        (now, then) => now.is_none() && then.is_none(),
    };
    reports && host.up == seen.up && Arc::ptr_eq(&host.record.record, &seen.record.record)
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
