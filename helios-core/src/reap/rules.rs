//! What is to be cleaned up, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use crate::cluster::{FleetView, Records};
use crate::model::{HostName, Job, JobId};
use crate::time::Timestamp;

use super::absence::{AbsenceRecord, is_away};

/// What is cleaned up beside expired jobs, which always are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReapRules {
    /// Hosts whose agent is away for that long are deregistered.
    pub dead_agents_after: Option<Duration>,
    /// Jobs are removed that are deployed nowhere and nothing happened to for that long.
    pub unused_jobs_after: Option<Duration>,
    /// The history of a job goes with the job.
    pub history: bool,
}

impl Default for ReapRules {
    /// Agents that are away for 14 days; neither jobs nor history.
    fn default() -> Self {
        Self {
            dead_agents_after: Some(Duration::from_secs(14 * 86_400)),
            unused_jobs_after: None,
            history: false,
        }
    }
}

/// What the decision rests on.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The fleet.
    pub view: &'a FleetView,
    /// Who is away since when.
    pub absences: &'a Records<HostName, AbsenceRecord>,
    /// When something happened last to each of those that [`long_unused`] named.
    pub last_events: &'a BTreeMap<JobId, Timestamp>,
    /// Jobs that something else than a host still names.
    pub needed: &'a BTreeSet<JobId>,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reaping {
    /// Take a job off a host.
    Undeploy {
        /// The host.
        host: HostName,
        /// The job.
        job: JobId,
        /// Why.
        because: Because,
    },
    /// Remove a job, once it is deployed nowhere.
    Remove {
        /// The job.
        job: JobId,
        /// Why.
        because: Because,
    },
    /// Deregister a host.
    Deregister {
        /// The host.
        host: HostName,
        /// Why.
        because: Because,
    },
}

/// Why something is cleaned up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// The job was made to expire then.
    Expired(Timestamp),
    /// Nothing happened to the job for that long.
    Unused(Duration),
    /// The agent is away for that long.
    Away(Duration),
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired(at) => write!(f, "it expired at {at}"),
            Self::Unused(time) => write!(f, "nothing happened to it for {} s", time.as_secs()),
            Self::Away(time) => write!(f, "its agent is away for {} s", time.as_secs()),
        }
    }
}

/// What is to be done at `now`.
#[must_use]
pub fn reap(known: &Known<'_>, rules: &ReapRules, now: Timestamp) -> Vec<Reaping> {
    let mut reapings = expired(known.view, now);
    if let Some(limit) = rules.unused_jobs_after {
        reapings.extend(unused(known, limit, now));
    }
    if let Some(limit) = rules.dead_agents_after {
        reapings.extend(dead(known, limit, now));
    }
    reapings
}

/// The jobs that are deployed nowhere and are older than `limit`: whether something happened to them since has
/// to be looked up.
#[must_use]
pub fn long_unused(view: &FleetView, limit: Duration, now: Timestamp) -> Vec<JobId> {
    let deployed: BTreeSet<JobId> = view
        .hosts
        .iter()
        .flat_map(|(_, host)| host.goals.keys().cloned().chain(host.goals.unread_jobs()))
        .collect();
    let old = |job: &Job| job.created.is_none_or(|at| now.since(at) >= limit);
    let unused = view
        .jobs
        .iter()
        .filter(|(id, record)| !deployed.contains(*id) && old(&record.job));
    unused.map(|(id, _)| id.clone()).collect()
}

/// Undeployed everywhere first, and removed in the same round.
fn expired(view: &FleetView, now: Timestamp) -> Vec<Reaping> {
    let mut reapings = Vec::new();
    for (id, record) in view.jobs.iter() {
        let Some(end) = record.job.expires.filter(|end| *end <= now) else {
            continue;
        };
        let because = Because::Expired(end);
        let hosts = view.hosts.iter();
        let hosts = hosts.filter(|(_, host)| host.goals.concern(id));
        reapings.extend(hosts.map(|(host, _)| Reaping::Undeploy {
            host: host.clone(),
            job: id.clone(),
            because,
        }));
        reapings.push(remove(id, because));
    }
    reapings
}

fn unused(known: &Known<'_>, limit: Duration, now: Timestamp) -> Vec<Reaping> {
    let candidates = long_unused(known.view, limit, now).into_iter();
    let unused = candidates.filter(|id| {
        let last = known.last_events.get(id);
        let quiet = last.is_none_or(|at| now.since(*at) >= limit);
        quiet && !known.needed.contains(id)
    });
    let jobs = unused.filter_map(|id| {
        let record = known.view.jobs.get(&id)?;
        // One that expired is on its way already.
        let expired = record.job.expires.is_some_and(|end| end <= now);
        (!expired).then(|| remove(&id, Because::Unused(limit)))
    });
    jobs.collect()
}

fn remove(id: &JobId, because: Because) -> Reaping {
    Reaping::Remove {
        job: id.clone(),
        because,
    }
}

fn dead(known: &Known<'_>, limit: Duration, now: Timestamp) -> Vec<Reaping> {
    let away = known.absences.iter().filter_map(|(host, absence)| {
        let record = known.view.hosts.get(host)?;
        let same = record.agent_id == absence.agent_id;
        let time = now.since(absence.since);
        (same && time >= limit && is_away(known.view, host)).then(|| Reaping::Deregister {
            host: host.clone(),
            because: Because::Away(time),
        })
    });
    away.collect()
}
