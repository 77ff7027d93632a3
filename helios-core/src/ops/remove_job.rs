//! Forgetting a job.

use crate::model::{HostName, JobId};
use crate::schema::{
    AuditRecord, JobRecord, Keys, NameRecord, RemovalRecord, Stamp, Versioned, encode,
};
use crate::store::Txn;

use super::{Refused, audited, check_token, stored};

/// That a job is to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveJob {
    /// Which job.
    pub job: JobId,
    /// The job's token.
    pub token: String,
}

impl RemoveJob {
    /// That `job`, which has no token, is to be removed.
    #[must_use]
    pub fn new(job: JobId) -> Self {
        Self {
            job,
            token: String::new(),
        }
    }
}

/// What is read to remove a job.
#[derive(Clone, Debug, Default)]
pub struct RemoveView {
    /// The job, if it is there.
    pub job: Option<Versioned<JobRecord>>,
    /// The entry of its name and version.
    pub name: Option<Versioned<NameRecord>>,
    /// Where it is deployed, read *after* the job.
    pub hosts: Vec<HostName>,
    /// Whether this removal's mark was committed for sure before any of this was read.
    pub marked: bool,
}

/// The next step of a removal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a transaction does nothing until it is committed"]
pub enum Removal {
    /// Marks the job. Once that is committed, look again.
    Mark(Txn),
    /// Removes the job, and that is all.
    Delete(Txn),
}

/// Removes a job that is deployed nowhere, in two steps.
///
/// Hosts are too many to be named in one transaction. So the removal first marks the job, then looks at
/// all hosts, and then deletes the job at the very version of its mark. Each deployment either came before
/// the mark and is seen, or takes the mark back with its own transaction and so fails the delete. No
/// deployment ever names a job that is gone, and a removal that dies halfway blocks nobody. A note of the removal
/// stays, for whoever forgets what is left of the job.
///
/// # Errors
/// [`JobNotFound`](Refused::JobNotFound), [`Forbidden`](Refused::Forbidden),
/// [`StillInUse`](Refused::StillInUse), looked for in that order.
pub fn remove_job(
    view: &RemoveView,
    request: &RemoveJob,
    stamp: &Stamp,
) -> Result<Removal, Refused> {
    let (key, seen) = stored(view.job.as_ref(), &request.job)?;
    check_token(&seen.job, &request.token)?;
    if !view.hosts.is_empty() {
        return Err(Refused::StillInUse {
            job: request.job.clone(),
            hosts: view.hosts.clone(),
        });
    }
    let mark = stamp.operation.as_str();
    if !view.marked || seen.removing.as_deref() != Some(mark) {
        let mut record = JobRecord::clone(seen);
        record.removing = Some(mark.to_owned());
        let txn = Txn::new().update(key, seen.version, encode(&record));
        return Ok(Removal::Mark(txn));
    }
    let mut txn = Txn::new().delete(key, seen.version);
    let name = view.name.as_ref().filter(|name| name.id == request.job);
    if let (Some(name), Ok(key)) = (name, Keys::job_name(&request.job)) {
        txn = txn.delete(key, name.version);
    }
    let removal = RemovalRecord {
        job: request.job.clone(),
        at: stamp.at,
    };
    txn = txn.create(Keys::removal(&stamp.operation), encode(&removal));
    let audit = AuditRecord::new(stamp, "remove job").job(&request.job);
    Ok(Removal::Delete(audited(txn, stamp, &audit)))
}
