//! What is known of jobs and hosts, as it is shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use helios_core::cluster::{self, FleetView, HostView};
use helios_core::model::{HostName, Job};
use helios_core::schema::TaskReport;

use crate::wire::{HostState, HostStatus, JobStatus, TaskStatus};

/// What has become of a job on all hosts.
pub(super) fn job_status(status: &cluster::JobStatus<'_>) -> JobStatus {
    let tasks = status.tasks.iter();
    let deployments = status.deployments.iter();
    JobStatus {
        job: Some(Arc::clone(&status.job)),
        task_statuses: tasks
            .map(|(host, task)| (host.to_string(), task_status(&status.job, task)))
            .collect(),
        deployments: deployments
            .map(|(host, goal)| (host.to_string(), goal.deployment()))
            .collect(),
    }
}

/// Whether a host's agent is there.
pub(super) fn host_state(host: &HostView) -> HostState {
    if host.up {
        HostState::Up
    } else {
        HostState::Down
    }
}

/// What is known of a host, if it is registered.
pub(super) fn host_status(view: &FleetView, name: &HostName) -> Option<HostStatus> {
    let host = view.host(name)?;
    let goals = &host.record.goals;
    let report = host.report.as_deref();
    let jobs = goals
        .iter()
        .map(|(id, goal)| (id.clone(), goal.deployment()));
    // A task whose job is gone from everywhere has nothing left to be shown by.
    let statuses = report
        .into_iter()
        .flat_map(|report| &report.tasks)
        .filter_map(|(id, task)| {
            let deployed = goals.get(id).map(|goal| &goal.job);
            let job = deployed.or_else(|| Some(&view.jobs.get(id)?.job))?;
            Some((id.clone(), task_status(job, task)))
        });
    Some(HostStatus {
        jobs: jobs.collect(),
        statuses: statuses.collect(),
        status: host_state(&host),
        host_info: report.and_then(|report| report.host_info.clone()),
        agent_info: report.and_then(|report| report.agent_info.clone()),
        environment: report
            .map(|report| report.environment.clone())
            .unwrap_or_default(),
        labels: report
            .map(|report| report.labels.clone())
            .unwrap_or_default(),
    })
}

fn task_status(job: &Arc<Job>, task: &TaskReport) -> TaskStatus {
    TaskStatus {
        job: Arc::clone(job),
        goal: Some(task.goal),
        state: task.state,
        container_id: task.container_id.clone(),
        throttled: task.throttled,
        ports: task.ports.clone(),
        env: BTreeMap::new(),
        container_error: task.error.clone(),
    }
}
