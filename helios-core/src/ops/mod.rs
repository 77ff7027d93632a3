//! What can be asked of a cluster, as pure functions.
//!
//! Each takes what was read, what is asked, and a [`Stamp`], and answers with the
//! transaction that does it, or with the reason why not. The transaction names the version of everything
//! the decision relies on, so it is committed only while the decision is still right. An answer with an
//! empty transaction says that everything is as asked already.
//!
//! Whatever changes anything also creates its audit record, in the same transaction: there is one record
//! for each change, and no change happens twice.
//!
//! [`Cluster`](crate::cluster::Cluster) reads, calls these and commits. They are here for those who decide
//! in a program of their own, or put several changes into one transaction.
//!
//! ```
//! use helios_core::ops::{DeployView, Deploy, Refused, deploy};
//! use helios_core::schema::{OperationIds, Stamp};
//! use helios_core::{Goal, Timestamp};
//!
//! let stamp = Stamp {
//!     operation: OperationIds::new("docs")?.next(),
//!     at: Timestamp::from_millis(0),
//!     principal: "ann".to_owned(),
//! };
//! let request = Deploy::new("web1".parse()?, "web:7".parse()?, Goal::Start);
//! let nothing_there = DeployView::default();
//! let refused = deploy(&nothing_there, &request, &stamp).unwrap_err();
//! assert!(matches!(refused, Refused::JobNotFound { .. }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod create_job;
mod deploy;
mod deregister_host;
mod drain_host;
mod refused;
mod register_host;
mod remove_job;
mod set_goal;
mod undeploy;

pub use create_job::{CreateJob, create_job};
pub use deploy::{Deploy, DeployView, deploy, keep_job};
pub use deregister_host::{DeregisterView, deregister_host};
pub use drain_host::drain_host;
pub use refused::Refused;
pub use register_host::{RegisterHost, RegisterView, register_host, take_over_host};
pub use remove_job::{Removal, RemoveJob, RemoveView, remove_job};
pub use set_goal::{SetGoal, set_goal};
pub use undeploy::{Undeploy, undeploy};

use crate::model::{HostName, Job, JobId};
use crate::schema::{AuditRecord, HostRecord, JobRecord, Keys, Stamp, Versioned, encode};
use crate::store::{Key, Txn};

/// The transaction, with the record that says what it does: the last touch of every operation, also of
/// those that are decided elsewhere and made by [`Cluster::transact`](crate::cluster::Cluster::transact).
pub fn audited(txn: Txn, stamp: &Stamp, record: &AuditRecord) -> Txn {
    txn.create(Keys::audit(stamp.at, &stamp.operation), encode(record))
}

/// The stored job and where it lies.
fn stored<'a>(
    job: Option<&'a Versioned<JobRecord>>,
    id: &JobId,
) -> Result<(Key, &'a Versioned<JobRecord>), Refused> {
    let key = Keys::job(id).ok();
    key.zip(job)
        .ok_or_else(|| Refused::JobNotFound { job: id.clone() })
}

/// The registered host.
fn registered<'a>(
    record: Option<&'a Versioned<HostRecord>>,
    host: &HostName,
) -> Result<&'a Versioned<HostRecord>, Refused> {
    record.ok_or_else(|| Refused::HostNotFound { host: host.clone() })
}

/// Whether the token is the job's, which may be empty.
fn check_token(job: &Job, token: &str) -> Result<(), Refused> {
    check_token_of(&job.id, &job.token, token)
}

/// Whether the token is `own`, that of the job.
fn check_token_of(job: &JobId, own: &str, token: &str) -> Result<(), Refused> {
    if own == token {
        Ok(())
    } else {
        Err(Refused::Forbidden {
            job: job.clone(),
            has_token: !own.is_empty(),
        })
    }
}

/// The host's entry as `change` makes it, one revision further. Every change of a host goes through here:
/// agents never follow a lower revision.
pub fn update_host(
    txn: Txn,
    host: &HostName,
    seen: &Versioned<HostRecord>,
    change: impl FnOnce(&mut HostRecord),
) -> Txn {
    let mut record = HostRecord::clone(seen);
    change(&mut record);
    record.revision += 1;
    txn.update(Keys::host(host), seen.version, encode(&record))
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
