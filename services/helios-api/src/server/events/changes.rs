//! From two looks at a cluster to what happened between them.

use std::collections::{BTreeMap, BTreeSet};

use helios_core::cluster::{FleetView, HostView};
use helios_core::model::{Goal, HostName, JobId, ThrottleState};
use helios_core::schema::{GoalRecord, Goals, TaskReport};
use helios_core::store::Version;

use crate::wire::{DeploymentEvent, Event, HostEvent, HostState, NamedEvent, TaskEvent};

/// What happened between both.
pub(in crate::server) fn changes(older: &FleetView, newer: &FleetView) -> Vec<Event> {
    let mut events = Vec::new();
    for id in newer.jobs.names().filter(|id| older.jobs.get(id).is_none()) {
        events.push(job(id, false));
    }
    let hosts: BTreeSet<&HostName> = older.hosts.names().chain(newer.hosts.names()).collect();
    for host in hosts.into_iter().filter(|host| is_news(older, newer, host)) {
        let [before, now] = [older, newer].map(|view| view.host(host));
        let (mut before, now) = (before.as_ref(), now.as_ref());
        if was_registered_anew(before, now) {
            host_changes(host, before, None, &mut events);
            before = None;
        }
        host_changes(host, before, now, &mut events);
    }
    for id in older.jobs.names().filter(|id| newer.jobs.get(id).is_none()) {
        events.push(job(id, true));
    }
    events
}

fn job(id: &JobId, gone: bool) -> Event {
    let name = id.to_string();
    Event::Job(NamedEvent { name, gone })
}

/// Whether any of a host's entries is another one. Most are not, whenever something happens. Versions alone would
/// not tell: one may come again after a host was deregistered and registered.
fn is_news(older: &FleetView, newer: &FleetView, host: &HostName) -> bool {
    marks(older, host) != marks(newer, host)
}

/// What is another one whenever one of a host's entries is.
fn marks<'a>(view: &'a FleetView, host: &HostName) -> [Option<(Version, &'a str)>; 3] {
    let (record, up, report) = (
        view.hosts.get(host),
        view.up.get(host),
        view.reports.get(host),
    );
    [
        record.map(|entry| (entry.version, entry.epoch.as_str())),
        up.map(|entry| (entry.version, entry.incarnation.as_str())),
        report.map(|entry| (entry.version, entry.agent_id.as_str())),
    ]
}

/// Whether the host was deregistered between both looks, and registered again.
fn was_registered_anew(before: Option<&HostView>, now: Option<&HostView>) -> bool {
    match (before, now) {
        (Some(before), Some(now)) => before.record.epoch != now.record.epoch,
        _ => false,
    }
}

fn host_changes(
    host: &HostName,
    before: Option<&HostView>,
    now: Option<&HostView>,
    events: &mut Vec<Event>,
) {
    let status = |host: Option<&HostView>| {
        host.map(|host| {
            if host.up {
                HostState::Up
            } else {
                HostState::Down
            }
        })
    };
    if status(before) != status(now) {
        let (host, status) = (host.clone(), status(now));
        events.push(Event::Host(HostEvent { host, status }));
    }
    let none = Goals::default();
    let [old, new] = [before, now].map(|host| host.map_or(&none, |host| &host.record.goals));
    let goal = |goal: &GoalRecord| goal.goal;
    for (job, goal) in differences(old, new, goal) {
        let (host, job) = (host.clone(), job.clone());
        events.push(Event::Deployment(DeploymentEvent { host, job, goal }));
    }
    let none = BTreeMap::new();
    let [old, new] = [before, now].map(|host| {
        let report = host.and_then(|host| host.report.as_ref());
        report.map_or(&none, |report| &report.tasks)
    });
    for (job, told) in differences(old, new, Told::of) {
        events.push(Event::Task(told.unwrap_or_default().of_job(host, job)));
    }
}

/// What is new, other or gone, by what `shown` shows of it.
fn differences<'a, T, S: PartialEq>(
    old: &'a BTreeMap<JobId, T>,
    new: &'a BTreeMap<JobId, T>,
    shown: impl Fn(&T) -> S,
) -> Vec<(&'a JobId, Option<S>)> {
    let changed = new.iter().filter_map(|(job, value)| {
        let now = shown(value);
        (old.get(job).map(&shown).as_ref() != Some(&now)).then_some((job, Some(now)))
    });
    let gone = old.keys().filter(|job| !new.contains_key(job));
    changed.chain(gone.map(|job| (job, None))).collect()
}

/// What is told of a task.
#[derive(Default, PartialEq)]
struct Told {
    goal: Option<Goal>,
    state: Option<helios_core::TaskState>,
    throttled: Option<ThrottleState>,
    error: String,
    container: Option<String>,
}

impl Told {
    fn of(task: &TaskReport) -> Self {
        Self {
            goal: Some(task.goal),
            state: Some(task.state),
            throttled: Some(task.throttled),
            error: task.error.clone(),
            container: task.container_id.clone(),
        }
    }

    fn of_job(self, host: &HostName, job: &JobId) -> TaskEvent {
        TaskEvent {
            host: host.clone(),
            job: job.clone(),
            goal: self.goal,
            state: self.state,
            throttled: self.throttled.unwrap_or(ThrottleState::No),
            container_error: self.error,
            container_id: self.container,
        }
    }
}
