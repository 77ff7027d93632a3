//! The hosts that variables are for.

use std::collections::BTreeMap;

use helios_core::cluster::{FleetView, Records};
use helios_core::model::HostName;
use helios_core::schema::encode;

use super::FollowerRecord;
use crate::order::{Fleet, Member, OrderError};

/// Every host there is: those with an agent, by what the agent says of its labels, and those that follow without one.
///
/// A host that is both counts once, as its agent says: a label cannot be claimed over the agent's head.
pub fn roster(
    fleet: &FleetView,
    followers: &Records<HostName, FollowerRecord>,
) -> Result<Fleet, OrderError> {
    let mut labels: BTreeMap<&HostName, BTreeMap<String, String>> = followers
        .iter()
        .map(|(host, follower)| (host, follower.labels.clone()))
        .collect();
    for host in fleet.hosts.names() {
        labels.insert(host, agent_labels(fleet, host).cloned().unwrap_or_default());
    }
    let members = labels
        .into_iter()
        .map(|(host, labels)| Member::new(host.clone(), labels));
    Fleet::new(members)
}

/// One host of the [`roster`]; `None` if nobody knows it.
#[must_use]
pub fn member(
    fleet: &FleetView,
    followers: &Records<HostName, FollowerRecord>,
    host: &HostName,
) -> Option<Member> {
    let labels = if fleet.hosts.get(host).is_some() {
        agent_labels(fleet, host).cloned().unwrap_or_default()
    } else {
        followers.get(host)?.labels.clone()
    };
    Some(Member::new(host.clone(), labels))
}

/// What the host's own agent says.
fn agent_labels<'a>(fleet: &'a FleetView, host: &HostName) -> Option<&'a BTreeMap<String, String>> {
    let agent = &fleet.hosts.get(host)?.agent_id;
    let report = fleet.reports.get(host)?;
    (report.agent_id == *agent).then_some(&report.record.labels)
}

/// How two rosters differ: who joined or changed, and who left.
pub(super) fn difference(before: &Fleet, now: &Fleet) -> (Vec<Member>, Vec<HostName>) {
    let joined = now
        .members()
        .iter()
        .filter(|member| before.get(member.host.as_str()) != Some(member));
    let left = before
        .members()
        .iter()
        .filter(|member| now.position(member.host.as_str()).is_none());
    (
        joined.cloned().collect(),
        left.map(|member| member.host.clone()).collect(),
    )
}

/// How large a record of members grows.
const BATCH_BYTES: usize = 48 * 1024;

/// Members in parts that each fit one record.
pub(super) fn batches(members: &[Member]) -> Vec<Vec<Member>> {
    let mut batches = Vec::new();
    let (mut batch, mut bytes) = (Vec::new(), 0);
    for member in members {
        bytes += encode(member).len();
        batch.push(member.clone());
        if bytes > BATCH_BYTES {
            batches.push(std::mem::take(&mut batch));
            bytes = 0;
        }
    }
    batches.extend(Some(batch).filter(|batch| !batch.is_empty()));
    batches
}
