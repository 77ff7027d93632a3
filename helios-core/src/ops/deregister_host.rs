//! Forgetting a host.

use crate::model::HostName;
use crate::schema::{AuditRecord, Keys, Stamp};
use crate::store::{Txn, Version};

use super::{Refused, audited};

/// What is read to deregister a host.
#[derive(Clone, Debug, Default)]
pub struct DeregisterView {
    /// The version of the host's entry, whatever that says; `None` if it is not registered.
    pub host: Option<Version>,
    /// The version of its agent's report, whatever that says.
    pub report: Option<Version>,
}

/// Deregisters a host: its deployments and its agent's report go with it. What its entries say does not
/// matter, so that this also gets rid of one that nobody can read.
///
/// # Errors
/// [`HostNotFound`](Refused::HostNotFound).
pub fn deregister_host(
    view: &DeregisterView,
    host: &HostName,
    stamp: &Stamp,
) -> Result<Txn, Refused> {
    let host_not_found = || Refused::HostNotFound { host: host.clone() };
    let version = view.host.ok_or_else(host_not_found)?;
    let mut txn = Txn::new().delete(Keys::host(host), version);
    if let Some(version) = view.report {
        txn = txn.delete(Keys::report(host), version);
    }
    let audit = AuditRecord::new(stamp, "deregister host").host(host);
    Ok(audited(txn, stamp, &audit))
}
