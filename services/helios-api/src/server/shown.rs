//! Jobs and hosts as they are shown.
//!
//! Written straight from the view of the fleet, in the shape of [`wire`](crate::wire). The status of a
//! large fleet is mostly the text of its jobs, once for each host they run on; so that text is made once
//! and copied.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use helios_core::cluster::{FleetView, HostView, JobStatus};
use helios_core::model::{HostName, Job, JobId};
use helios_core::reconcile::environment;
use helios_core::schema::{GoalRecord, HostReport, TaskReport};
use serde::ser::{Error as _, Serialize, SerializeStruct, Serializer};
use serde_json::value::RawValue;

use super::fault::Fault;
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

/// The JSON text of one job.
pub(super) struct JobText(Box<RawValue>);

impl JobText {
    pub(super) fn of(job: &Job) -> Result<Self, Fault> {
        let text = serde_json::value::to_raw_value(job);
        text.map(Self).map_err(|error| Fault::unexpected(&error))
    }

    pub(super) fn shown(&self) -> ShownJob<'_> {
        ShownJob::Text(&self.0)
    }
}

/// A job, or its text.
pub(super) enum ShownJob<'a> {
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
    name: &'a HostName,
    host: HostView,
    view: &'a FleetView,
    texts: &'a JobTexts<'a>,
}

impl<'a> ShownHost<'a> {
    /// A host of that view.
    pub(super) fn new(
        view: &'a FleetView,
        name: &'a HostName,
        host: HostView,
        texts: &'a JobTexts<'a>,
    ) -> Self {
        Self {
            name,
            host,
            view,
            texts,
        }
    }

    /// What the agent reports. A task whose job is gone from everywhere has nothing left to be shown by.
    fn tasks(&self) -> impl Iterator<Item = (&JobId, ShownTask<'_>)> {
        let report = self.host.report.as_deref();
        let tasks = report.into_iter().flat_map(|report| &report.tasks);
        tasks.filter_map(move |(id, task)| {
            let deployed = self.host.record.goals.get(id).map(|goal| &goal.job);
            let job = deployed.or_else(|| Some(&self.view.jobs.get(id)?.job))?;
            let env = shown_env(self.name, report, job, task);
            let job = self.texts.shown(job);
            Some((id, ShownTask { job, task, env }))
        })
    }
}

impl Serialize for ShownHost<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let goals = self.host.record.goals.iter();
        let report = self.host.report.as_deref();
        let none = BTreeMap::new();
        let drained = self.host.record.drain.as_ref().map(ToString::to_string);
        let told = report.map_or(&[][..], |report| &report.problems);
        // Its agent tells of a goal in the same words.
        let unread = self.host.problems(self.name);
        let unread: Vec<String> = unread.filter(|problem| !told.contains(problem)).collect();
        let problems: Vec<&String> = drained.iter().chain(&unread).chain(told).collect();
        let len = if problems.is_empty() { 7 } else { 8 };
        let mut members = serializer.serialize_struct("HostStatus", len)?;
        members.serialize_field(
            "jobs",
            &Entries(|| goals.clone().map(|(id, goal)| (id, ShownGoal(goal)))),
        )?;
        members.serialize_field("statuses", &Entries(|| self.tasks()))?;
        members.serialize_field("status", &HostState::of(self.host.up))?;
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
        if !problems.is_empty() {
            members.serialize_field("problems", &problems)?;
        }
        members.end()
    }
}

/// A job's status in the shape of [`wire::JobStatus`](crate::wire::JobStatus).
pub(super) struct ShownJobStatus<'a> {
    pub(super) status: JobStatus<'a>,
    pub(super) view: &'a FleetView,
}

impl Serialize for ShownJobStatus<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { status, view } = self;
        let text = serde_json::value::to_raw_value(&status.job).map_err(S::Error::custom)?;
        let tasks = || {
            status.tasks.iter().map(|(host, task)| {
                let report = view.reports.get(host).map(|report| &**report);
                let env = shown_env(host, report, &status.job, task);
                let job = ShownJob::Text(&text);
                (*host, ShownTask { job, task, env })
            })
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
pub(super) struct ShownTask<'a> {
    pub(super) job: ShownJob<'a>,
    pub(super) task: &'a TaskReport,
    pub(super) env: Env<'a>,
}

/// The environment of a container.
type Env<'a> = BTreeMap<Cow<'a, str>, Cow<'a, str>>;

/// The environment of a task's container, as its agent made it.
pub(super) fn shown_env<'a>(
    host: &HostName,
    report: Option<&'a HostReport>,
    job: &'a Job,
    task: &'a TaskReport,
) -> Env<'a> {
    static NONE: BTreeMap<String, String> = BTreeMap::new();
    let of_agent = report.map_or(&NONE, |report| &report.environment);
    let ports = task.ports.iter().filter_map(|(name, mapping)| {
        let port = u16::try_from(mapping.external_port?).ok()?;
        Some((name, port))
    });
    environment(of_agent, host.as_str(), ports, job)
}

impl Serialize for ShownTask<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { job, task, env } = self;
        let since = Some(task.since).filter(|since| since.as_millis() > 0);
        let more = [task.restarts > 0, task.last_exit.is_some(), since.is_some()];
        let len = 8 + more.into_iter().filter(|is_told| *is_told).count();
        let mut members = serializer.serialize_struct("TaskStatus", len)?;
        members.serialize_field("job", job)?;
        members.serialize_field("goal", &task.goal)?;
        members.serialize_field("state", &task.state)?;
        members.serialize_field("containerId", &task.container_id)?;
        members.serialize_field("throttled", &task.throttled)?;
        members.serialize_field("ports", &task.ports)?;
        members.serialize_field("env", env)?;
        members.serialize_field("containerError", &task.error)?;
        if task.restarts > 0 {
            members.serialize_field("restarts", &task.restarts)?;
        }
        if let Some(exit) = &task.last_exit {
            members.serialize_field("lastExit", exit)?;
        }
        if let Some(since) = &since {
            members.serialize_field("since", since)?;
        }
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
