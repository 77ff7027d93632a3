//! Giving a host's name to an agent.

use crate::model::HostName;
use crate::schema::{
    AuditRecord, ClusterRecord, HostRecord, Keys, Presence, Stamp, Versioned, encode,
};
use crate::store::Txn;

use super::{Refused, audited, update_host};

/// That a host is to belong to an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterHost {
    /// Which host.
    pub host: HostName,
    /// The id of the agent, which it keeps for life.
    pub agent_id: String,
}

/// What is read to register a host.
#[derive(Clone, Debug, Default)]
pub struct RegisterView {
    /// The cluster, if the store has one: what is registered is registered in this one only.
    pub cluster: Option<Versioned<ClusterRecord>>,
    /// The host, if it is registered.
    pub host: Option<Versioned<HostRecord>>,
    /// The agent that is alive under its name.
    pub up: Option<Versioned<Presence>>,
}

/// Registers a host, with no goals. If it belongs to that agent already, there is nothing to do.
///
/// # Errors
/// [`NoAgentId`](Refused::NoAgentId), [`HostTaken`](Refused::HostTaken) when it is registered for another
/// agent.
pub fn register_host(
    view: &RegisterView,
    request: &RegisterHost,
    stamp: &Stamp,
) -> Result<Txn, Refused> {
    check_agent_id(request)?;
    match &view.host {
        Some(seen) if seen.agent_id == request.agent_id => Ok(Txn::new()),
        Some(seen) => Err(taken(request, &seen.agent_id)),
        None => Ok(new_registration(view, request, stamp)),
    }
}

/// Gives a host's name to another agent, as after the loss of the machine. The goals stay, and are the
/// new agent's.
///
/// Whether the former agent has been gone for long enough is for the caller to say.
///
/// # Errors
/// [`NoAgentId`](Refused::NoAgentId), [`HostTaken`](Refused::HostTaken) when another agent is alive under
/// the name.
pub fn take_over_host(
    view: &RegisterView,
    request: &RegisterHost,
    stamp: &Stamp,
) -> Result<Txn, Refused> {
    check_agent_id(request)?;
    if let Some(up) = view.up.as_ref().filter(|up| up.id != request.agent_id) {
        return Err(taken(request, &up.id));
    }
    let Some(seen) = &view.host else {
        return Ok(new_registration(view, request, stamp));
    };
    if seen.agent_id == request.agent_id {
        return Ok(Txn::new());
    }
    let txn = update_host(in_cluster(view), &request.host, seen, |record| {
        record.agent_id.clone_from(&request.agent_id);
    });
    let audit = AuditRecord::new(stamp, "take over host")
        .host(&request.host)
        .detail(format!("from {} by {}", seen.agent_id, request.agent_id));
    Ok(audited(txn, stamp, &audit))
}

fn new_registration(view: &RegisterView, request: &RegisterHost, stamp: &Stamp) -> Txn {
    let record = HostRecord::new(request.agent_id.clone(), stamp.operation.to_string());
    let txn = in_cluster(view).create(Keys::host(&request.host), encode(&record));
    let audit = AuditRecord::new(stamp, "register host")
        .host(&request.host)
        .detail(&request.agent_id);
    audited(txn, stamp, &audit)
}

/// A transaction that fails in a store that was emptied meanwhile.
fn in_cluster(view: &RegisterView) -> Txn {
    match &view.cluster {
        Some(cluster) => Txn::new().check(Keys::cluster(), cluster.version),
        None => Txn::new(),
    }
}

fn check_agent_id(request: &RegisterHost) -> Result<(), Refused> {
    if request.agent_id.is_empty() {
        let host = request.host.clone();
        return Err(Refused::NoAgentId { host });
    }
    Ok(())
}

fn taken(request: &RegisterHost, by: &str) -> Refused {
    Refused::HostTaken {
        host: request.host.clone(),
        by: by.to_owned(),
    }
}
