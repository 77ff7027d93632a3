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
    let labels = |labels: Option<&BTreeMap<_, _>>| labels.cloned().unwrap_or_default();
    let hosts = hosts(fleet, followers);
    Fleet::new(hosts.map(|(host, known)| Member::new(host.clone(), labels(known))))
}

/// Whether that is the [`roster`]. It nearly always is, and then nothing is copied to find that out.
pub(super) fn is_roster(
    known: &Fleet,
    fleet: &FleetView,
    followers: &Records<HostName, FollowerRecord>,
) -> bool {
    let same = |(member, (host, labels)): (&Member, (&HostName, Option<&BTreeMap<_, _>>))| {
        member.host == *host
            && member.weight == 1
            && labels.map_or(member.labels.is_empty(), |labels| member.labels == *labels)
    };
    let count = hosts(fleet, followers).count();
    count == known.members().len()
        && known
            .members()
            .iter()
            .zip(hosts(fleet, followers))
            .all(same)
}

/// Every host there is, in order, and its labels.
fn hosts<'a>(
    fleet: &'a FleetView,
    followers: &'a Records<HostName, FollowerRecord>,
) -> impl Iterator<Item = (&'a HostName, Option<&'a BTreeMap<String, String>>)> {
    let mut followers = followers.iter().peekable();
    let mut agents = fleet.hosts.names().peekable();
    std::iter::from_fn(move || {
        let agent = agents.next_if(|agent| {
            let follower = followers.peek();
            follower.is_none_or(|(follower, _)| agent <= follower)
        });
        match agent {
            Some(agent) => {
                followers.next_if(|(follower, _)| *follower == agent);
                Some((agent, agent_labels(fleet, agent)))
            }
            None => {
                let (host, follower) = followers.next()?;
                Some((host, Some(&follower.labels)))
            }
        }
    })
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
