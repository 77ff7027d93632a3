//! Taking a job in.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::{Job, JobId, ValidationRules, validate};
use crate::schema::{AuditRecord, JobRecord, Keys, NameRecord, Stamp, encode};
use crate::store::Txn;

use super::{Refused, audited};

/// That a job is to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateJob {
    /// The job. A hash in its id must be right; one that is missing is computed.
    pub job: Job,
    /// On whose behalf, as the job will say.
    pub user: Option<String>,
    /// The Linux capabilities a job may add.
    pub allowed_capabilities: BTreeSet<String>,
}

impl CreateJob {
    /// That `job` is to be created for nobody in particular, with no capabilities allowed.
    #[must_use]
    pub fn new(job: Job) -> Self {
        Self {
            job,
            user: None,
            allowed_capabilities: BTreeSet::new(),
        }
    }

    /// The job's id, with its hash.
    #[must_use]
    pub fn id(&self) -> JobId {
        match self.job.id.hash() {
            Some(_) => self.job.id.clone(),
            None => self.job.compute_id(),
        }
    }

    /// The job as it will be stored: with its hash, its user, and the time.
    #[must_use]
    pub fn finished(&self, stamp: &Stamp) -> Job {
        let mut job = self.job.clone();
        job.created = Some(stamp.at);
        job.creating_user.clone_from(&self.user);
        job.id = self.id();
        job
    }
}

/// Creates a job; `same_name` is the job that has its name and version already.
///
/// # Errors
/// [`InvalidJob`](Refused::InvalidJob), [`JobAlreadyExists`](Refused::JobAlreadyExists), looked for in that
/// order.
pub fn create_job(
    same_name: Option<&NameRecord>,
    request: &CreateJob,
    stamp: &Stamp,
) -> Result<Txn, Refused> {
    let job = request.finished(stamp);
    let id = job.id.clone();
    let rules = ValidationRules::for_master(stamp.at, &request.allowed_capabilities);
    let violations = validate(&job, &rules);
    let (job_key, name_key) = match (Keys::job(&id), Keys::job_name(&id)) {
        (Ok(job_key), Ok(name_key)) if violations.is_empty() => (job_key, name_key),
        _ => return Err(Refused::InvalidJob { id, violations }),
    };
    if let Some(NameRecord { id: by }) = same_name {
        let by = by.clone();
        return Err(Refused::JobAlreadyExists { id, by });
    }
    let record = JobRecord {
        job: Arc::new(job),
        removing: None,
    };
    let txn = Txn::new()
        .create(job_key, encode(&record))
        .create(name_key, encode(&NameRecord { id: id.clone() }));
    let audit = AuditRecord::new(stamp, "create job").job(&id);
    Ok(audited(txn, stamp, &audit))
}
