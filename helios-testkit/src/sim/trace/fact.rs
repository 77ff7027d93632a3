//! What a stored value says.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use helios_core::schema::{
    self, AuditRecord, ClusterRecord, Drain, GroupMark, HostRecord, HostReport, JobRecord,
    NameRecord, Presence,
};
use helios_core::store::Key;
use helios_core::{Goal, JobId, TaskState};
use helios_rollout::reset::ResetRecord;
use helios_rollout::rolling::GroupRecord;

/// What a stored value says, as far as checks look at it. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fact {
    /// There is none.
    #[default]
    Absent,
    /// Which cluster it is.
    Cluster(Arc<str>),
    /// A job, and whether it has a health check.
    Job(JobId, bool),
    /// Which job has a name.
    Name(JobId),
    /// Who a host belongs to, and its goals.
    Host(Arc<HostFact>),
    /// Who is alive.
    Presence(Arc<Presence>),
    /// What an agent says.
    Report(Arc<ReportFact>),
    /// A deployment group and its rollout.
    Group(Arc<GroupRecord>),
    /// A fleet reset, and how far it has come.
    Reset(Arc<ResetRecord>),
    /// Who changed what.
    Audit(Arc<AuditRecord>),
    /// Something else; a digest of it.
    Other(u64),
}

/// Who a host belongs to, and what is wanted of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostFact {
    /// The agent it is registered for.
    pub agent_id: String,
    /// Which registration this is.
    pub epoch: String,
    /// How often it was changed.
    pub revision: u64,
    /// What is wanted, and whether the job has a health check.
    pub goals: BTreeMap<JobId, (Goal, bool)>,
    /// Which rollout of which group came to it.
    pub groups: BTreeMap<String, GroupMark>,
    /// Who drains it, if somebody does: then the goals are those that it has meanwhile.
    pub drain: Option<Drain>,
}

/// What an agent says of its tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFact {
    /// Whose report it is.
    pub agent_id: String,
    /// How the tasks are, and what is wrong with them.
    pub tasks: BTreeMap<JobId, (TaskState, String)>,
    /// The host's labels.
    pub labels: BTreeMap<String, String>,
    /// Which boot of its machine it is.
    pub boot: Option<String>,
}

impl Fact {
    /// What the value at that key says.
    #[must_use]
    pub fn read(key: &Key, value: &[u8]) -> Self {
        Self::known(key, value).unwrap_or_else(|| {
            // Eight bytes at a time: much of what is stored is of this sort.
            let digest = value.chunks(8).fold(value.len() as u64, |digest, bytes| {
                let word = bytes
                    .iter()
                    .rfold(0, |word, byte| word << 8 | u64::from(*byte));
                super::super::dice::mix(digest ^ word)
            });
            Self::Other(digest)
        })
    }

    fn known(key: &Key, value: &[u8]) -> Option<Self> {
        let dir = key.segments().next()?;
        Some(match dir {
            "cluster" => Self::Cluster(schema::decode::<ClusterRecord>(key, value).ok()?.id.into()),
            "jobs" => {
                let job = schema::decode::<JobRecord>(key, value).ok()?.job;
                Self::Job(job.id.clone(), job.health_check.is_some())
            }
            "names" => Self::Name(schema::decode::<NameRecord>(key, value).ok()?.id),
            "hosts" => {
                let record = schema::decode::<HostRecord>(key, value).ok()?;
                let drain = record.drain.as_ref();
                let goals = record.goals.into_iter().map(|(id, goal)| {
                    let checked = goal.job.health_check.is_some();
                    (id, (Drain::goal(drain, goal.goal), checked))
                });
                Self::Host(Arc::new(HostFact {
                    agent_id: record.agent_id,
                    epoch: record.epoch,
                    revision: record.revision,
                    goals: goals.collect(),
                    groups: record.groups,
                    drain: record.drain,
                }))
            }
            "up" | "masters" => Self::Presence(Arc::new(schema::decode(key, value).ok()?)),
            "status" => {
                let report = schema::decode::<HostReport>(key, value).ok()?;
                let tasks = report.tasks.into_iter();
                Self::Report(Arc::new(ReportFact {
                    agent_id: report.agent_id,
                    tasks: tasks
                        .map(|(id, task)| (id, (task.state, task.error)))
                        .collect(),
                    labels: report.labels,
                    boot: report.host_info.and_then(|info| info.boot_id),
                }))
            }
            "groups" => Self::Group(Arc::new(schema::decode(key, value).ok()?)),
            "resets" => Self::Reset(Arc::new(schema::decode(key, value).ok()?)),
            "audit" => Self::Audit(Arc::new(schema::decode(key, value).ok()?)),
            _ => return None,
        })
    }

    /// The host record, if it is one.
    #[must_use]
    pub fn host(&self) -> Option<&Arc<HostFact>> {
        match self {
            Self::Host(host) => Some(host),
            _ => None,
        }
    }

    /// The deployment group, if it is one.
    #[must_use]
    pub fn group(&self) -> Option<&GroupRecord> {
        match self {
            Self::Group(group) => Some(group),
            _ => None,
        }
    }

    /// The fleet reset, if it is one.
    #[must_use]
    pub fn reset(&self) -> Option<&ResetRecord> {
        match self {
            Self::Reset(reset) => Some(reset),
            _ => None,
        }
    }

    /// The report, if it is one.
    #[must_use]
    pub fn report(&self) -> Option<&ReportFact> {
        match self {
            Self::Report(report) => Some(report),
            _ => None,
        }
    }

    /// The presence, if it is one.
    #[must_use]
    pub fn presence(&self) -> Option<&Presence> {
        match self {
            Self::Presence(presence) => Some(presence),
            _ => None,
        }
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("-"),
            Self::Cluster(id) => write!(f, "cluster {id}"),
            Self::Job(id, _) | Self::Name(id) => write!(f, "{}", short(id)),
            Self::Host(host) => {
                write!(f, "of {} r{} [", host.agent_id, host.revision)?;
                for (index, (job, (goal, _))) in host.goals.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{}={goal}", short(job))?;
                }
                f.write_str("]")?;
                match &host.drain {
                    Some(drain) => write!(f, " drained by {}", drain.id),
                    None => Ok(()),
                }
            }
            Self::Presence(presence) => write!(f, "{} {}", presence.id, presence.incarnation),
            Self::Report(report) => {
                write!(f, "by {} [", report.agent_id)?;
                for (index, (job, (state, error))) in report.tasks.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{}={state}", short(job))?;
                    if !error.is_empty() {
                        write!(f, " ({error})")?;
                    }
                }
                f.write_str("]")
            }
            Self::Group(group) => write_group(f, group),
            Self::Reset(reset) => write_reset(f, reset),
            Self::Audit(audit) => write!(f, "{} by {}", audit.action, audit.principal),
            Self::Other(digest) => write!(f, "#{digest:x}"),
        }
    }
}

fn write_group(f: &mut fmt::Formatter<'_>, group: &GroupRecord) -> fmt::Result {
    let Some(rollout) = &group.rollout else {
        return f.write_str("without a rollout");
    };
    let (job, id, step) = (short(&rollout.job), &rollout.id, rollout.step);
    write!(
        f,
        "{:?} {job} by {id}, step {step}, done {}",
        rollout.state, rollout.done
    )?;
    for (host, flight) in &rollout.in_flight {
        write!(f, ", {host} {:?}", flight.phase)?;
    }
    for (host, failure) in &rollout.failed {
        write!(f, ", {host} failed: {}", failure.reason)?;
    }
    match &rollout.pause {
        Some(why) => write!(f, ", paused: {why}"),
        None => Ok(()),
    }
}

fn write_reset(f: &mut fmt::Formatter<'_>, reset: &ResetRecord) -> fmt::Result {
    let progress = &reset.progress;
    write!(f, "{}, done {}", progress.stage, progress.done.len())?;
    for (host, away) in &progress.away {
        write!(f, ", {host} {} {}", away.phase.as_str(), away.id)?;
    }
    for (host, mishap) in &progress.mishaps {
        write!(f, ", {host} failed: {}", mishap.because)?;
    }
    Ok(())
}

/// A job's id without its hash, which no reader of a trace needs.
pub(super) fn short(job: &JobId) -> JobId {
    job.without_hash()
}
