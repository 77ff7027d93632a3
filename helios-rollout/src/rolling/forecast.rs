//! What a rollout would do, if all goes well.

use std::collections::BTreeMap;

use helios_core::Timestamp;
use helios_core::cluster::FleetView;
use helios_core::model::HostName;
use helios_core::schema::JobRecord;

use super::advance::Planner;
use super::ops::{Start, started};
use super::{GroupRecord, GroupRefused, RollOut};

/// What a rollout would do, if every host got healthy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forecast {
    /// The hosts it would start, in order: those of one batch at a time.
    pub batches: Vec<Vec<HostName>>,
    /// The hosts that run the job already.
    pub right: Vec<HostName>,
    /// The hosts that would fail at once, with the reason.
    pub failing: Vec<(HostName, String)>,
    /// The members whose agent is not there or that are drained.
    pub down: Vec<HostName>,
    /// The hosts that do not belong to the group any more and would be let go.
    pub leaving: Vec<HostName>,
}

/// What [`roll_out`](super::roll_out) would do. Nothing is written.
///
/// # Errors
/// As for [`roll_out`](super::roll_out).
pub fn forecast(
    group: Option<&GroupRecord>,
    job: Option<&JobRecord>,
    fleet: &FleetView,
    request: &RollOut,
    now: Timestamp,
) -> Result<Forecast, GroupRefused> {
    let group = group.ok_or_else(|| GroupRefused::GroupNotFound {
        group: request.group.clone(),
    })?;
    let job = job.ok_or_else(|| GroupRefused::JobNotFound {
        job: request.job.clone(),
    })?;
    let record = started(group, job, fleet, request, &Start::of_nobody(now))?;
    let Some(rollout) = &record.rollout else {
        return Ok(Forecast::default());
    };
    let planner = Planner::new(&record, rollout, fleet, now);
    let mut forecast = Forecast {
        leaving: planner.leavers().map(|host| host.name.clone()).collect(),
        ..Forecast::default()
    };
    let mut queue: Vec<_> = planner.pending().copied().collect();
    queue.sort_by(|a, b| planner.order(a, b));
    let mut zones: BTreeMap<&str, Vec<HostName>> = BTreeMap::new();
    for host in queue {
        let name = host.name.clone();
        if !host.is_here() {
            forecast.down.push(name);
        } else if planner.is_right(host) {
            forecast.right.push(name);
        } else if let Some((_, reason)) = planner.obstacle(host, &job.job) {
            forecast.failing.push((name, reason));
        } else {
            let zone = host.zone(rollout.policy.per.as_deref());
            zones.entry(zone).or_default().push(name);
        }
    }
    for (zone, hosts) in zones {
        let members = planner.members.zones.get(zone).copied().unwrap_or(1);
        let width = rollout.policy.width(&planner.options, members);
        let width = usize::try_from(width).unwrap_or(usize::MAX);
        for (number, batch) in hosts.chunks(width).enumerate() {
            match forecast.batches.get_mut(number) {
                Some(hosts) => hosts.extend_from_slice(batch),
                None => forecast.batches.push(batch.to_vec()),
            }
        }
    }
    Ok(forecast)
}
