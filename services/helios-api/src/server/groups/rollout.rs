//! Starting rolling updates, and telling them what to do.

use std::num::NonZeroU32;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use helios_core::cluster::ClusterError;
use helios_core::model::HostName;
use helios_rollout::rolling::{Forecast, GroupRefused, RollOut};

use super::{fault, groups};
use crate::server::body::JsonText;
use crate::server::fault::Fault;
use crate::server::params::{Names, Params};
use crate::server::reply::json;
use crate::server::state::MasterState;
use crate::wire::{
    HostObstacle, PlanStatus, RollingUpdateRequest, RollingUpdateResponse, RollingUpdateStatus,
    RolloutPlanResponse,
};

/// `POST /deployment-group/{group}/rolling-update`
pub(super) async fn start(
    State(state): State<MasterState>,
    names: Names,
    params: Params,
    body: JsonText,
) -> Result<Response, Fault> {
    let request = asked(&names, &body)?;
    let status = match groups(&state, &params).roll_out(&request).await {
        Ok(_) => RollingUpdateStatus::Ok,
        Err(error) => match error.refused() {
            Some(GroupRefused::GroupNotFound { .. }) => RollingUpdateStatus::GroupNotFound,
            Some(GroupRefused::JobNotFound { .. }) => RollingUpdateStatus::JobNotFound,
            _ => return Err(fault(error)),
        },
    };
    Ok(json(StatusCode::OK, &RollingUpdateResponse { status }))
}

/// `POST /deployment-group/{group}/plan`
pub(super) async fn plan(
    State(state): State<MasterState>,
    names: Names,
    params: Params,
    body: JsonText,
) -> Result<Response, Fault> {
    let request = asked(&names, &body)?;
    let (status, forecast) = match groups(&state, &params).forecast(&request).await {
        Ok(forecast) => (PlanStatus::Ok, forecast),
        Err(error) => {
            let status = match error.refused() {
                Some(GroupRefused::GroupNotFound { .. }) => PlanStatus::GroupNotFound,
                Some(GroupRefused::JobNotFound { .. }) => PlanStatus::JobNotFound,
                _ => return Err(fault(error)),
            };
            (status, Forecast::default())
        }
    };
    Ok(json(StatusCode::OK, &planned(status, forecast)))
}

fn asked(names: &Names, body: &JsonText) -> Result<RollOut, Fault> {
    let request: RollingUpdateRequest = body.read()?;
    Ok(RollOut {
        options: request.rollout_options,
        policy: request.policy,
        ..RollOut::new(names.get("group"), request.job)
    })
}

fn planned(status: PlanStatus, forecast: Forecast) -> RolloutPlanResponse {
    let text = |hosts: Vec<HostName>| hosts.iter().map(ToString::to_string).collect();
    let obstacle = |(host, reason): (HostName, String)| HostObstacle {
        host: host.to_string(),
        reason,
    };
    RolloutPlanResponse {
        status,
        batches: forecast.batches.into_iter().map(text).collect(),
        right: text(forecast.right),
        failing: forecast.failing.into_iter().map(obstacle).collect(),
        down: text(forecast.down),
        leaving: text(forecast.leaving),
    }
}

/// `POST /deployment-group/{group}/stop`
pub(super) async fn stop(
    State(state): State<MasterState>,
    names: Names,
    params: Params,
) -> Result<Response, Fault> {
    done(groups(&state, &params).stop(names.get("group")).await)
}

/// `POST /deployment-group/{group}/pause`
pub(super) async fn pause(
    State(state): State<MasterState>,
    names: Names,
    params: Params,
) -> Result<Response, Fault> {
    done(groups(&state, &params).pause(names.get("group")).await)
}

/// `POST /deployment-group/{group}/resume`, to pause again after `?stopAfter=N` more hosts.
pub(super) async fn resume(
    State(state): State<MasterState>,
    names: Names,
    params: Params,
) -> Result<Response, Fault> {
    let stop_after = params.non_empty("stopAfter").map(str::parse::<NonZeroU32>);
    let stop_after = stop_after
        .transpose()
        .map_err(|_| Fault::bad("stopAfter is no number of hosts", "give 1 or more"))?
        .map(NonZeroU32::get);
    let groups = groups(&state, &params);
    done(groups.resume(names.get("group"), stop_after).await)
}

/// `POST /deployment-group/{group}/rollback`
pub(super) async fn roll_back(
    State(state): State<MasterState>,
    names: Names,
    params: Params,
) -> Result<Response, Fault> {
    done(groups(&state, &params).roll_back(names.get("group")).await)
}

/// As the original answers a stop.
fn done(result: Result<bool, ClusterError<GroupRefused>>) -> Result<Response, Fault> {
    match result {
        Ok(_) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(error) => Err(fault(error)),
    }
}
