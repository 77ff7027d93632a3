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
        let names = view.hosts.names();
        let hosts = names.filter_map(|name| Some((name.clone(), Sight::of(&view.host(name)?))));
        Self::new(hosts)
    }
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
            instances: instances.collect(),
            unwell: unwell.map(|(id, _)| id.to_string()).collect(),
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
