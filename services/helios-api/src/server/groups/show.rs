//! Showing groups.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use helios_core::Timestamp;
use helios_core::cluster::FleetView;
use helios_core::model::{HostName, HostSelector, natural_cmp};
use helios_core::schema::Versioned;
use helios_rollout::rolling::{self, Because, GroupRecord, Groups, Rollout, RolloutPlan, advance};

use crate::server::fault::Fault;
use crate::server::list_filter::ListFilter;
use crate::server::params::Names;
use crate::server::reply::json;
use crate::server::state::MasterState;
use crate::wire::{
    DeploymentGroupStatus, DeploymentGroupStatusResponse, GroupHostStatus, GroupStatus, HostFailed,
    HostInFlight, RolloutProgress, RolloutState,
};

/// `GET /deployment-group`
pub(super) async fn list(
    State(state): State<MasterState>,
    filter: ListFilter,
) -> Result<Response, Fault> {
    let groups = Groups::of(state.cluster).list().await?;
    let meant = groups.iter().filter(|(_, group)| {
        let status = status_of(state_of(&group.record));
        filter.means_status(status.as_str())
    });
    let names = filter.of(meant.map(|(name, _)| name), |name| name.as_str());
    Ok(json(StatusCode::OK, &names))
}

/// `GET /deployment-group/{group}`
pub(super) async fn get(State(state): State<MasterState>, names: Names) -> Result<Response, Fault> {
    let record = find(&state, &names).await?;
    Ok(json(StatusCode::OK, &record.group))
}

/// `GET /deployment-group/{group}/status`
pub(super) async fn status(
    State(state): State<MasterState>,
    names: Names,
) -> Result<Response, Fault> {
    let record = find(&state, &names).await?;
    let fleet = state.fleet.view().await?;
    let now = state.cluster.clock().now();
    Ok(json(StatusCode::OK, &describe(&record, &fleet, now)))
}

async fn find(state: &MasterState, names: &Names) -> Result<Versioned<GroupRecord>, Fault> {
    let name = names.get("group");
    let record = Groups::of(state.cluster.clone()).get(name).await?;
    record.ok_or_else(|| {
        Fault::not_found(
            format!("there is no deployment group {name:?}"),
            "`helios list-deployment-groups` lists those there are",
        )
    })
}

/// How far the last rolling update is, if there was one.
fn state_of(record: &GroupRecord) -> Option<RolloutState> {
    let rollout = record.rollout.as_ref();
    let state = rollout.map(|rollout| match rollout.state {
        rolling::RolloutState::RollingOut => RolloutState::RollingOut,
        rolling::RolloutState::Done => RolloutState::Done,
        rolling::RolloutState::Failed => RolloutState::Failed,
    });
    state.or(record.stopped.then_some(RolloutState::Failed))
}

fn status_of(state: Option<RolloutState>) -> GroupStatus {
    match state {
        None => GroupStatus::Idle,
        Some(RolloutState::RollingOut) => GroupStatus::RollingOut,
        Some(RolloutState::Done) => GroupStatus::Active,
        Some(RolloutState::Failed) => GroupStatus::Failed,
    }
}

fn describe(
    record: &GroupRecord,
    fleet: &FleetView,
    now: Timestamp,
) -> DeploymentGroupStatusResponse {
    let rollout = record.rollout.as_ref();
    let state = state_of(record);
    let error = match rollout {
        Some(rollout) => rollout.error.clone(),
        None => record.stopped.then(|| "Stopped by user".to_owned()),
    };
    DeploymentGroupStatusResponse {
        deployment_group: record.group.clone(),
        status: status_of(state),
        error: state.map_or_else(|| Some(String::new()), |_| error.clone()),
        host_statuses: hosts(record, fleet),
        deployment_group_status: state.map(|state| DeploymentGroupStatus { state, error }),
        rollout: rollout.zip(state).map(|(rollout, state)| {
            let plan = advance(record, fleet, now);
            progress(rollout, state, &plan)
        }),
    }
}

/// The members that are up, in natural order, each with the group's job there.
fn hosts(record: &GroupRecord, fleet: &FleetView) -> Vec<GroupHostStatus> {
    let name = record.group.name.as_str();
    let member = |host: &HostName| {
        let view = fleet.host(host).filter(|view| view.up)?;
        let labels = &view.report.as_ref()?.labels;
        HostSelector::all_match(&record.group.host_selectors, labels).then_some(())?;
        let own =
            |(_, goal): &(_, &helios_core::schema::GoalRecord)| goal.group.as_deref() == Some(name);
        let mut jobs = view.record.goals.iter().filter(own).map(|(job, _)| job);
        // While two of them are there, the one that is on its way counts.
        let target = record.group.job_id.as_ref();
        let job = jobs
            .clone()
            .find(|job| Some(*job) == target)
            .or_else(|| jobs.next());
        Some(GroupHostStatus {
            host: host.to_string(),
            job_id: job.cloned(),
            state: job.and_then(|job| Some(fleet.task(host, job)?.state)),
        })
    };
    let mut hosts: Vec<GroupHostStatus> = fleet.hosts.names().filter_map(member).collect();
    hosts.sort_by(|a, b| natural_cmp(&a.host, &b.host));
    hosts
}

fn progress(rollout: &Rollout, state: RolloutState, plan: &RolloutPlan) -> RolloutProgress {
    let because = |host: &HostName| {
        let line = plan.lines.iter().find(|line| line.host == *host);
        line.map(|line| line.because.to_string())
            .unwrap_or_default()
    };
    let in_flight = rollout.in_flight.iter().map(|(host, flight)| HostInFlight {
        host: host.to_string(),
        phase: flight.phase,
        since: flight.since,
        because: because(host),
    });
    let failed = rollout.failed.iter().map(|(host, failure)| HostFailed {
        host: host.to_string(),
        code: failure.code,
        reason: failure.reason.clone(),
    });
    let down = plan
        .lines
        .iter()
        .filter(|line| matches!(line.because, Because::Down | Because::Drained));
    RolloutProgress {
        id: rollout.id.clone(),
        job: rollout.job.clone(),
        takes_back: rollout.undoes.as_ref().map(|undone| undone.job.clone()),
        state,
        paused: rollout.pause.clone(),
        begun: rollout.begun,
        changed: rollout.changed,
        members: plan.counts.members,
        done: plan.counts.done,
        waiting: plan.counts.waiting,
        in_flight: in_flight.collect(),
        failed: failed.collect(),
        down: down.map(|line| line.host.to_string()).collect(),
        seconds_left: seconds_left(rollout, state, plan),
        steps: rollout.log.iter().cloned().collect(),
    }
}

/// As long as those took that are done since it was started or joined, for those that are not.
fn seconds_left(rollout: &Rollout, state: RolloutState, plan: &RolloutPlan) -> Option<u64> {
    if state != RolloutState::RollingOut || rollout.pause.is_some() {
        return None;
    }
    let left = plan.counts.waiting + plan.counts.in_flight;
    let took = rollout.changed.since(rollout.begun).as_secs();
    let done = rollout.done.saturating_sub(rollout.done_before);
    (took * left).checked_div(done)
}

#[cfg(test)]
mod tests {
    use helios_rollout::rolling::{Counts, Policy};

    use super::*;

    #[test]
    fn what_was_done_before_more_hosts_joined_says_nothing_about_how_long_they_take() {
        let at = Timestamp::from_millis;
        let job = "web:1:a".parse().unwrap();
        let mut rollout = Rollout::new("m-1".to_owned(), job, Policy::default(), 1_004, at(0));
        rollout.changed = at(60_000);
        (rollout.done, rollout.done_before) = (1_001, 1_000);
        let counts = Counts {
            waiting: 2,
            in_flight: 1,
            ..Counts::default()
        };
        let plan = RolloutPlan {
            counts,
            ..RolloutPlan::default()
        };
        let left = |rollout: &Rollout| seconds_left(rollout, RolloutState::RollingOut, &plan);
        assert_eq!(left(&rollout), Some(180));
        rollout.done = 1_000;
        assert_eq!(left(&rollout), None, "nothing to go by yet");
        rollout.pause = Some("asked for".to_owned());
        assert_eq!(left(&rollout), None);
    }
}
