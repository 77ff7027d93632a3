//! The whole cluster at a glance.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;
use std::sync::Arc;

use crate::model::{HostName, Job, JobId, TaskState};
use crate::schema::{
    GoalRecord, HostRecord, HostReport, JobRecord, Keys, Presence, TaskReport, Versioned,
};
use crate::store::{Key, Snapshot};

use super::{Records, Unreadable};

/// All there is to know about a cluster: five directories, read at about the same time.
///
/// Not atomic across entries: a deployment may be seen before the job it names. A clone costs nothing,
/// and consecutive views of one watch share what did not change.
#[derive(Clone, Debug, Default)]
pub struct FleetView {
    /// The jobs.
    pub jobs: Records<JobId, JobRecord>,
    /// The registered hosts, with their goals.
    pub hosts: Records<HostName, HostRecord>,
    /// The agents that are alive.
    pub up: Records<HostName, Presence>,
    /// What the agents report.
    pub reports: Records<HostName, HostReport>,
    /// The masters that are alive.
    pub masters: Records<String, Presence>,
}

impl FleetView {
    /// The host of that name, if it is registered.
    #[must_use]
    pub fn host(&self, host: &HostName) -> Option<HostView> {
        Some(self.glance(host)?.view())
    }

    /// As [`host`](Self::host), copying nothing.
    #[must_use]
    pub fn glance(&self, host: &HostName) -> Option<HostGlance<'_>> {
        let (name, record) = self.hosts.get_entry(host)?;
        let (up, report) = (self.up.get(host), self.reports.get(host));
        Some(HostGlance::new(
            name,
            record,
            up,
            report,
            self.unread_of(host),
        ))
    }

    /// Every registered host in the order of their names. It walks the directories side by side, which is much
    /// quicker than to ask for one host after the other.
    pub fn each(&self) -> impl Iterator<Item = HostGlance<'_>> {
        let (mut ups, mut reports) = (self.up.iter().peekable(), self.reports.iter().peekable());
        let hosts = self.hosts.iter();
        hosts.map(move |(name, record)| {
            let (up, report) = (of_host(&mut ups, name), of_host(&mut reports, name));
            HostGlance::new(name, record, up, report, self.unread_of(name))
        })
    }

    /// The hosts of which something else is stored than in the `older` view, whether they are registered or not. Of two views of one
    /// watch it costs what changed, not what is there.
    #[must_use]
    pub fn hosts_changed_since<'a>(&'a self, older: &'a Self) -> BTreeSet<&'a HostName> {
        let hosts = self.hosts.changed_since(&older.hosts);
        let ups = self.up.changed_since(&older.up);
        let reports = self.reports.changed_since(&older.reports);
        hosts.chain(ups).chain(reports).collect()
    }

    /// What cannot be read of what a host's agent says: its presence and its report.
    fn unread_of(&self, host: &HostName) -> [Option<&Arc<Unreadable>>; 2] {
        let up = self.up.unreadable_at(|| Keys::up(host));
        [up, self.reports.unreadable_at(|| Keys::report(host))]
    }

    /// Whether the host is registered, and its agent alive.
    #[must_use]
    pub fn is_up(&self, host: &HostName) -> bool {
        self.host(host).is_some_and(|host| host.up)
    }

    /// Whether the host's own agent reports that the job is RUNNING, so that its health check has passed.
    #[must_use]
    pub fn is_running(&self, host: &HostName, job: &JobId) -> bool {
        let task = self.task(host, job);
        task.is_some_and(|task| task.state == TaskState::Running)
    }

    /// What the host's own agent reports of a job.
    #[must_use]
    pub fn task(&self, host: &HostName, job: &JobId) -> Option<&TaskReport> {
        let agent = &self.hosts.get(host)?.agent_id;
        let report = self
            .reports
            .get(host)
            .filter(|report| report.agent_id == *agent)?;
        report.record.tasks.get(job)
    }

    /// A job, and what has become of it on all hosts.
    #[must_use]
    pub fn job_status(&self, job: &JobId) -> Option<JobStatus<'_>> {
        self.job_statuses([job]).into_values().next()
    }

    /// Those of the jobs that exist, each with what has become of it on all hosts. Looks at every host
    /// once, however many jobs are asked for.
    pub fn job_statuses<'a>(
        &self,
        jobs: impl IntoIterator<Item = &'a JobId>,
    ) -> BTreeMap<JobId, JobStatus<'_>> {
        let known = jobs.into_iter().filter_map(|id| {
            let status = JobStatus::of(&self.jobs.get(id)?.job);
            Some((id.clone(), status))
        });
        let mut statuses: BTreeMap<JobId, JobStatus<'_>> = known.collect();
        for (host, record) in self.hosts.iter() {
            for (id, goal) in &record.goals {
                if let Some(status) = statuses.get_mut(id) {
                    status.deployments.insert(host, goal);
                }
            }
            let report = self.reports.get(host);
            let own = report.filter(|report| report.agent_id == record.agent_id);
            for (id, task) in own.into_iter().flat_map(|report| &report.tasks) {
                if let Some(status) = statuses.get_mut(id) {
                    status.tasks.insert(host, task);
                }
            }
        }
        statuses
    }

    /// Everything that cannot be read, each with its reason. It is missing elsewhere in this view.
    pub fn unreadable(&self) -> impl Iterator<Item = &Unreadable> {
        let desired = self.jobs.unreadable().chain(self.hosts.unreadable());
        let observed = self.up.unreadable().chain(self.reports.unreadable());
        desired.chain(observed).chain(self.masters.unreadable())
    }
}

/// What a directory has of that host, if those before it are of no interest any more.
fn of_host<'a, T>(
    records: &mut Peekable<impl Iterator<Item = (&'a HostName, &'a Versioned<T>)>>,
    host: &HostName,
) -> Option<&'a Versioned<T>> {
    loop {
        let (name, _) = records.peek()?;
        match (*name).cmp(host) {
            Ordering::Less => records.next(),
            Ordering::Equal => return records.next().map(|(_, record)| record),
            Ordering::Greater => return None,
        };
    }
}

/// As [`HostView`], for as long as the view is there.
#[derive(Clone, Copy, Debug)]
pub struct HostGlance<'a> {
    /// Its name.
    pub name: &'a HostName,
    /// Whose it is and what should run there.
    pub record: &'a Versioned<HostRecord>,
    /// Whether its agent is alive.
    pub up: bool,
    /// What its agent reported last, whether alive or not.
    pub report: Option<&'a Versioned<HostReport>>,
    /// Its presence and its report, where they are there and cannot be read.
    pub unread: [Option<&'a Arc<Unreadable>>; 2],
}

impl<'a> HostGlance<'a> {
    /// What others than the host's own agent say does not count.
    pub(super) fn new(
        name: &'a HostName,
        record: &'a Versioned<HostRecord>,
        up: Option<&Versioned<Presence>>,
        report: Option<&'a Versioned<HostReport>>,
        unread: [Option<&'a Arc<Unreadable>>; 2],
    ) -> Self {
        Self {
            name,
            record,
            up: up.is_some_and(|up| up.id == record.agent_id),
            report: report.filter(|report| report.agent_id == record.agent_id),
            unread,
        }
    }

    /// The host, to be kept.
    #[must_use]
    pub fn view(&self) -> HostView {
        HostView {
            record: self.record.clone(),
            up: self.up,
            report: self.report.cloned(),
            unread: self.unread.map(Option::<&Arc<_>>::cloned),
        }
    }
}

/// A registered host: what is wanted of it, whether it is up, and what it reports.
#[derive(Clone, Debug)]
pub struct HostView {
    /// Whose it is and what should run there.
    pub record: Versioned<HostRecord>,
    /// Whether its agent is alive.
    pub up: bool,
    /// What its agent reported last, whether alive or not.
    pub report: Option<Versioned<HostReport>>,
    /// Its presence and its report, where they are there and cannot be read.
    pub unread: [Option<Arc<Unreadable>>; 2],
}

impl HostView {
    /// What the store has of this host and nobody can read, for people: which goal or entry, and what to do.
    pub fn problems(&self, host: &HostName) -> impl Iterator<Item = String> {
        let entries = self.unread.iter().flatten().map(|entry| {
            format!("{entry}; if it is not its agent's, stop that agent and delete the entry as a master")
        });
        self.record.goals.problems(host).chain(entries)
    }
}

/// A job, and what has become of it on all hosts. A host can be in one of the maps only: before its agent
/// has read a deployment, or while it still stops what is no longer deployed.
#[derive(Clone, Debug)]
pub struct JobStatus<'a> {
    /// The job.
    pub job: Arc<Job>,
    /// Where it is deployed.
    pub deployments: BTreeMap<&'a HostName, &'a GoalRecord>,
    /// What agents report of it.
    pub tasks: BTreeMap<&'a HostName, &'a TaskReport>,
}

impl JobStatus<'_> {
    fn of(job: &Arc<Job>) -> Self {
        Self {
            job: Arc::clone(job),
            deployments: BTreeMap::new(),
            tasks: BTreeMap::new(),
        }
    }
}

/// One of the directories a view is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Jobs,
    Hosts,
    Up,
    Reports,
    Masters,
}

impl Part {
    pub(super) const ALL: [Self; 5] = [
        Self::Jobs,
        Self::Hosts,
        Self::Up,
        Self::Reports,
        Self::Masters,
    ];

    pub(super) fn dir(self) -> Key {
        match self {
            Self::Jobs => Keys::jobs(),
            Self::Hosts => Keys::hosts(),
            Self::Up => Keys::ups(),
            Self::Reports => Keys::reports(),
            Self::Masters => Keys::masters(),
        }
    }
}

/// Keeps a view in step with snapshots of its directories.
#[derive(Debug, Default)]
pub(super) struct FleetTracker {
    seen: BTreeMap<Part, Snapshot>,
    known: KnownJobs,
    view: FleetView,
}

impl FleetTracker {
    /// Takes in a newer snapshot, and says whether the view changed.
    pub(super) fn advance(&mut self, part: Part, newer: Snapshot) -> bool {
        let first = !self.seen.contains_key(&part);
        let older = self.seen.entry(part).or_default();
        let (dir, view, known) = (part.dir(), &mut self.view, &mut self.known);
        let changed = match part {
            Part::Jobs => {
                let share = |stored: &mut JobRecord| known.share(&mut stored.job);
                let changed = view.jobs.advance_sharing(&dir, older, &newer, share);
                known.forget_unused();
                changed
            }
            Part::Hosts => {
                let share = |host: &mut HostRecord| {
                    for goal in host.goals.values_mut() {
                        known.share(&mut goal.job);
                    }
                };
                view.hosts.advance_sharing(&dir, older, &newer, share)
            }
            Part::Up => view.up.advance(&dir, older, &newer),
            Part::Reports => view.reports.advance(&dir, older, &newer),
            Part::Masters => view.masters.advance(&dir, older, &newer),
        };
        *older = newer;
        changed || first
    }

    /// The view, once every directory was seen.
    pub(super) fn view(&self) -> Option<FleetView> {
        (self.seen.len() == Part::ALL.len()).then(|| self.view.clone())
    }
}

/// The jobs of a fleet, each of them once: one that is deployed to a thousand hosts is in the entry of each.
#[derive(Debug, Default)]
struct KnownJobs(BTreeMap<JobId, Arc<Job>>);

impl KnownJobs {
    fn share(&mut self, job: &mut Arc<Job>) {
        match self.0.get(&job.id) {
            Some(known) if known == job => *job = Arc::clone(known),
            _ => {
                self.0.insert(job.id.clone(), Arc::clone(job));
            }
        }
    }

    fn forget_unused(&mut self) {
        self.0.retain(|_, job| Arc::strong_count(job) > 1);
    }
}

#[cfg(test)]
mod tests;
