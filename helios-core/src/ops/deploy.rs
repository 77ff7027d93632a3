//! Bringing a job to a host.

use std::sync::Arc;

use crate::model::{Goal, HostName, Job, JobId};
use crate::schema::{
    AuditRecord, GoalRecord, HostRecord, JobRecord, Stamp, Versioned, encode, static_ports,
};
use crate::store::{Key, Txn};

use super::{Refused, audited, check_token, registered, stored, update_host};

/// That a job is to be on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deploy {
    /// Which host.
    pub host: HostName,
    /// Which job.
    pub job: JobId,
    /// What is wanted of it.
    pub goal: Goal,
    /// The job's token.
    pub token: String,
    /// The user who asks for it.
    pub user: Option<String>,
    /// The master that does it by itself.
    pub master: Option<String>,
    /// The deployment group it belongs to.
    pub group: Option<String>,
}

impl Deploy {
    /// That `job`, which has no token, is to be on `host`.
    #[must_use]
    pub fn new(host: HostName, job: JobId, goal: Goal) -> Self {
        Self {
            host,
            job,
            goal,
            token: String::new(),
            user: None,
            master: None,
            group: None,
        }
    }
}

/// What is read to deploy a job or to set its goal.
#[derive(Clone, Debug, Default)]
pub struct DeployView {
    /// The job, if it is there.
    pub job: Option<Versioned<JobRecord>>,
    /// The host, if it is registered.
    pub host: Option<Versioned<HostRecord>>,
}

/// Deploys a job to a host, which need not be up.
///
/// # Errors
/// [`JobNotFound`](Refused::JobNotFound), [`Forbidden`](Refused::Forbidden),
/// [`HostNotFound`](Refused::HostNotFound), [`AlreadyDeployed`](Refused::AlreadyDeployed),
/// [`PortConflict`](Refused::PortConflict), looked for in that order.
pub fn deploy(view: &DeployView, request: &Deploy, stamp: &Stamp) -> Result<Txn, Refused> {
    let (job_key, seen) = stored(view.job.as_ref(), &request.job)?;
    check_token(&seen.job, &request.token)?;
    let host = registered(view.host.as_ref(), &request.host)?;
    if host.goals.concern(&request.job) {
        return Err(Refused::AlreadyDeployed {
            job: request.job.clone(),
            host: request.host.clone(),
        });
    }
    check_ports(host, &seen.job, &request.host)?;
    let goal = GoalRecord {
        job: Arc::clone(&seen.job),
        goal: request.goal,
        user: request.user.clone(),
        master: request.master.clone(),
        group: request.group.clone(),
    };
    let txn = update_host(keep_job(job_key, seen), &request.host, host, |record| {
        record.goals.insert(request.job.clone(), goal);
    });
    let audit = AuditRecord::new(stamp, "deploy")
        .job(&request.job)
        .host(&request.host)
        .detail(request.goal.as_str());
    Ok(audited(txn, stamp, &audit))
}

/// Makes sure that the job at `key` is not removed meanwhile: every transaction that deploys it begins with
/// this.
///
/// Many deployments of one job do not get in each other's way, because they only check it; but the mark
/// of a removal has to be taken back, so that the removal fails.
pub fn keep_job(key: Key, seen: &Versioned<JobRecord>) -> Txn {
    if seen.removing.is_none() {
        return Txn::new().check(key, seen.version);
    }
    let mut record = JobRecord::clone(seen);
    record.removing = None;
    Txn::new().update(key, seen.version, encode(&record))
}

fn check_ports(record: &HostRecord, job: &Job, host: &HostName) -> Result<(), Refused> {
    for (protocol, port) in static_ports(job) {
        let mut taken = record.static_ports();
        if let Some((_, _, by)) = taken.find(|(p, n, _)| (*p, *n) == (protocol, port)) {
            return Err(Refused::PortConflict {
                host: host.clone(),
                port,
                protocol: protocol.to_owned(),
                job: by.clone(),
            });
        }
    }
    Ok(())
}
