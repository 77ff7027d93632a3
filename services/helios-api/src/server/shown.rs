//! Jobs and hosts as they are shown.
//!
//! Written straight from the view of the fleet, in the shape of [`wire`](crate::wire). The status of a
//! large fleet is mostly the text of its jobs, once for each host they run on; so that text is made once
//! and copied.

use std::collections::{BTreeMap, HashMap};

use helios_core::cluster::{FleetView, HostView, JobStatus};
use helios_core::model::{HostName, Job, JobId};
use helios_core::schema::{GoalRecord, TaskReport};
use serde::ser::{Error as _, Serialize, SerializeStruct, Serializer};
use serde_json::value::RawValue;

use crate::wire::HostState;

/// The JSON text of jobs, ready to be copied.
#[derive(Default)]
pub(super) struct JobTexts<'a>(HashMap<&'a str, Box<RawValue>>);

impl<'a> JobTexts<'a> {
    /// The texts of all jobs there are.
    pub(super) fn of(view: &'a FleetView) -> Self {
        let texts = view.jobs.iter().filter_map(|(id, record)| {
            let text = serde_json::value::to_raw_value(&record.job).ok()?;
            Some((id.as_str(), text))
        });
        Self(texts.collect())
    }

    fn shown<'b>(&'b self, job: &'b Job) -> ShownJob<'b> {
        match self.0.get(job.id.as_str()) {
            Some(text) => ShownJob::Text(text),
            None => ShownJob::Job(job),
        }
    }
}

/// A job, or its text.
enum ShownJob<'a> {
    Text(&'a RawValue),
    Job(&'a Job),
}

impl Serialize for ShownJob<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => text.serialize(serializer),
            Self::Job(job) => job.serialize(serializer),
        }
    }
}

/// A host in the shape of [`wire::HostStatus`](crate::wire::HostStatus).
pub(super) struct ShownHost<'a> {
    host: HostView,
    view: &'a FleetView,
    texts: &'a JobTexts<'a>,
}

impl<'a> ShownHost<'a> {
    /// The host of that name, if it is registered.
    pub(super) fn find(
        view: &'a FleetView,
        name: &HostName,
        texts: &'a JobTexts<'a>,
    ) -> Option<Self> {
        let host = view.host(name)?;
        Some(Self { host, view, texts })
    }

    /// Whether its agent is there.
    pub(super) fn state(&self) -> HostState {
        if self.host.up {
            HostState::Up
        } else {
            HostState::Down
        }
    }

    /// What the agent reports. A task whose job is gone from everywhere has nothing left to be shown by.
    fn tasks(&self) -> impl Iterator<Item = (&JobId, ShownTask<'_>)> {
        let tasks = self.host.report.iter().flat_map(|report| &report.tasks);
        tasks.filter_map(|(id, task)| {
            let deployed = self.host.record.goals.get(id).map(|goal| &goal.job);
            let job = deployed.or_else(|| Some(&self.view.jobs.get(id)?.job))?;
            let job = self.texts.shown(job);
            Some((id, ShownTask { job, task }))
        })
    }
}

impl Serialize for ShownHost<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let goals = self.host.record.goals.iter();
        let report = self.host.report.as_deref();
        let none = BTreeMap::new();
        let mut members = serializer.serialize_struct("HostStatus", 7)?;
        members.serialize_field(
            "jobs",
            &Entries(|| goals.clone().map(|(id, goal)| (id, ShownGoal(goal)))),
        )?;
        members.serialize_field("statuses", &Entries(|| self.tasks()))?;
        members.serialize_field("status", &self.state())?;
        members.serialize_field(
            "hostInfo",
            &report.and_then(|report| report.host_info.as_ref()),
        )?;
        members.serialize_field(
            "agentInfo",
            &report.and_then(|report| report.agent_info.as_ref()),
        )?;
        members.serialize_field(
            "environment",
            report.map_or(&none, |report| &report.environment),
        )?;
        members.serialize_field("labels", report.map_or(&none, |report| &report.labels))?;
        members.end()
    }
}

/// A job's status in the shape of [`wire::JobStatus`](crate::wire::JobStatus).
pub(super) struct ShownJobStatus<'a>(pub(super) JobStatus<'a>);

impl Serialize for ShownJobStatus<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(status) = self;
        let text = serde_json::value::to_raw_value(&status.job).map_err(S::Error::custom)?;
        let tasks = || {
            let job = || ShownJob::Text(&text);
            status
                .tasks
                .iter()
                .map(move |(host, task)| (host, ShownTask { job: job(), task }))
        };
        let goals = || {
            status
                .deployments
                .iter()
                .map(|(host, goal)| (host, ShownGoal(goal)))
        };
        let mut members = serializer.serialize_struct("JobStatus", 3)?;
        members.serialize_field("job", &text)?;
        members.serialize_field("taskStatuses", &Entries(tasks))?;
        members.serialize_field("deployments", &Entries(goals))?;
        members.end()
    }
}

/// A task in the shape of [`wire::TaskStatus`](crate::wire::TaskStatus).
struct ShownTask<'a> {
    job: ShownJob<'a>,
    task: &'a TaskReport,
}

impl Serialize for ShownTask<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { job, task } = self;
        let no_env: BTreeMap<&str, &str> = BTreeMap::new();
        let mut members = serializer.serialize_struct("TaskStatus", 8)?;
        members.serialize_field("job", job)?;
        members.serialize_field("goal", &task.goal)?;
        members.serialize_field("state", &task.state)?;
        members.serialize_field("containerId", &task.container_id)?;
        members.serialize_field("throttled", &task.throttled)?;
        members.serialize_field("ports", &task.ports)?;
        members.serialize_field("env", &no_env)?;
        members.serialize_field("containerError", &task.error)?;
        members.end()
    }
}

/// What is wanted, in the shape of a [`Deployment`](helios_core::model::Deployment).
struct ShownGoal<'a>(&'a GoalRecord);

impl Serialize for ShownGoal<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(goal) = self;
        let mut members = serializer.serialize_struct("Deployment", 5)?;
        members.serialize_field("goal", &goal.goal)?;
        members.serialize_field("deployerUser", &goal.user)?;
        if let Some(master) = &goal.master {
            members.serialize_field("deployerMaster", master)?;
        }
        if let Some(group) = &goal.group {
            members.serialize_field("deploymentGroupName", group)?;
        }
        members.serialize_field("jobId", &goal.job.id)?;
        members.end()
    }
}

/// The entries of a map that is written without being made.
struct Entries<F>(F);

impl<K: Serialize, V: Serialize, I: Iterator<Item = (K, V)>, F: Fn() -> I> Serialize
    for Entries<F>
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0())
    }
}
