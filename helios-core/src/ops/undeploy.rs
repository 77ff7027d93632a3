//! Taking a job from a host.

use crate::model::{HostName, JobId};
use crate::schema::{AuditRecord, HostRecord, Stamp, Versioned};
use crate::store::Txn;

use super::{Refused, audited, check_token_of, registered, update_host};

/// That a job is no longer to be on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undeploy {
    /// Which host.
    pub host: HostName,
    /// Which job.
    pub job: JobId,
    /// The job's token.
    pub token: String,
}

impl Undeploy {
    /// That `job`, which has no token, is no longer to be on `host`.
    #[must_use]
    pub fn new(host: HostName, job: JobId) -> Self {
        Self {
            host,
            job,
            token: String::new(),
        }
    }
}

/// Undeploys a job from a host. Its agent stops the container once it has read that. A goal that cannot be read is
/// taken away like any other.
///
/// # Errors
/// [`HostNotFound`](Refused::HostNotFound), [`NotDeployed`](Refused::NotDeployed),
/// [`Forbidden`](Refused::Forbidden), looked for in that order.
pub fn undeploy(
    host: Option<&Versioned<HostRecord>>,
    request: &Undeploy,
    stamp: &Stamp,
) -> Result<Txn, Refused> {
    let host = registered(host, &request.host)?;
    let goal = host.goals.get(&request.job);
    let token = match (goal, host.goals.unread_of(&request.job)) {
        (Some(goal), _) => goal.job.token.clone(),
        (None, Some(unread)) => unread.token(),
        (None, None) => {
            return Err(Refused::NotDeployed {
                job: request.job.clone(),
                host: request.host.clone(),
            });
        }
    };
    check_token_of(&request.job, &token, &request.token)?;
    let txn = update_host(Txn::new(), &request.host, host, |record| {
        record.goals.forget(&request.job);
    });
    let audit = AuditRecord::new(stamp, "undeploy")
        .job(&request.job)
        .host(&request.host);
    Ok(audited(txn, stamp, &audit))
}
