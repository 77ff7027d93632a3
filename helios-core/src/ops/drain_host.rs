//! Emptying a host for a while.

use crate::model::HostName;
use crate::schema::{AuditRecord, Drain, HostRecord, Stamp, Versioned};
use crate::store::Txn;

use super::{Refused, audited, registered, update_host};

/// Drains a host, changes how it is drained, or with `None` ends that. Its goals stay as they are.
///
/// # Errors
/// [`HostNotFound`](Refused::HostNotFound); [`HostDrained`](Refused::HostDrained) when somebody else drains
/// it: only who began a drain changes or ends it.
pub fn drain_host(
    seen: Option<&Versioned<HostRecord>>,
    host: &HostName,
    by: &str,
    drain: Option<&Drain>,
    stamp: &Stamp,
) -> Result<Txn, Refused> {
    let seen = registered(seen, host)?;
    if let Some(other) = seen.drain.as_ref().filter(|other| other.by != by) {
        return Err(Refused::HostDrained {
            host: host.clone(),
            by: other.by.clone(),
        });
    }
    if seen.drain.as_ref() == drain {
        return Ok(Txn::new());
    }
    let txn = update_host(Txn::new(), host, seen, |record| {
        record.drain = drain.cloned();
    });
    let (action, id) = match drain {
        Some(drain) if drain.reset.is_some() => ("reset host", drain.id.as_str()),
        Some(drain) => ("drain host", drain.id.as_str()),
        None => ("end drain of host", by),
    };
    let audit = AuditRecord::new(stamp, action).host(host).detail(id);
    Ok(audited(txn, stamp, &audit))
}
