//! Endpoints about deployment groups and their rolling updates.

mod change;
mod rollout;
mod show;

use axum::http::StatusCode;
use helios_core::cluster::ClusterError;
use helios_core::model::DeploymentGroup;
use helios_rollout::rolling::{GroupRefused, Groups};

use super::fault::Fault;
use super::params::Params;
use super::route::{Needs, On, Route};
use super::state::MasterState;
use crate::wire::{
    CreateDeploymentGroupResponse, DeploymentGroupStatusResponse, EditDeploymentGroupResponse,
    RemoveDeploymentGroupResponse, RollingUpdateRequest, RollingUpdateResponse,
    RolloutPlanResponse,
};

pub(super) fn routes() -> Vec<Route> {
    let (read, deploy) = (Needs::Read, Needs::Deploy(On::Group));
    let [all, one] = ["/deployment-group", "/deployment-group/{group}"];
    let mut routes = vec![
        Route::get(all, read, "Lists deployment groups", show::list)
            .takes(&[
                "namePattern",
                "status=ROLLING_OUT|ACTIVE|FAILED|IDLE",
                "limit",
                "after",
            ])
            .answers::<Vec<String>>(),
        Route::post(
            all,
            Needs::Deploy(On::Fleet),
            "Creates a deployment group",
            change::create,
        )
        .reads::<DeploymentGroup>()
        .answers::<CreateDeploymentGroupResponse>(),
        Route::get(one, read, "Shows a deployment group", show::get).answers::<DeploymentGroup>(),
        Route::put(
            one,
            deploy,
            "Gives a deployment group other selectors",
            change::edit,
        )
        .takes(&["preview"])
        .reads::<DeploymentGroup>()
        .answers::<EditDeploymentGroupResponse>(),
        Route::delete(
            one,
            deploy,
            "Removes a deployment group; its jobs stay deployed",
            change::remove,
        )
        .answers::<RemoveDeploymentGroupResponse>(),
        Route::get(
            "/deployment-group/{group}/status",
            read,
            "Shows how a deployment group and its rollout are doing",
            show::status,
        )
        .answers::<DeploymentGroupStatusResponse>(),
    ];
    routes.extend(of_rollouts());
    routes
}

fn of_rollouts() -> Vec<Route> {
    let (read, deploy) = (Needs::Read, Needs::Deploy(On::Group));
    vec![
        Route::post(
            "/deployment-group/{group}/rolling-update",
            deploy,
            "Starts a rolling update; one that is under way is replaced",
            rollout::start,
        )
        .reads::<RollingUpdateRequest>()
        .answers::<RollingUpdateResponse>(),
        Route::post(
            "/deployment-group/{group}/plan",
            read,
            "Says what a rolling update would do",
            rollout::plan,
        )
        .reads::<RollingUpdateRequest>()
        .answers::<RolloutPlanResponse>(),
        Route::post(
            "/deployment-group/{group}/stop",
            deploy,
            "Gives up a rolling update",
            rollout::stop,
        ),
        Route::post(
            "/deployment-group/{group}/pause",
            deploy,
            "Pauses a rolling update",
            rollout::pause,
        ),
        Route::post(
            "/deployment-group/{group}/resume",
            deploy,
            "Resumes a rolling update",
            rollout::resume,
        )
        .takes(&["stopAfter"]),
        Route::post(
            "/deployment-group/{group}/rollback",
            deploy,
            "Takes the last rolling update back",
            rollout::roll_back,
        ),
    ]
}

/// The groups, for changes in the name of whoever asks.
fn groups(state: &MasterState, params: &Params) -> Groups {
    Groups::of(state.cluster_for(params.user().as_deref()))
}

fn fault(error: ClusterError<GroupRefused>) -> Fault {
    match error {
        ClusterError::Refused(refused) => {
            let status = match refused {
                GroupRefused::GroupNotFound { .. } => StatusCode::NOT_FOUND,
                GroupRefused::GroupExists { .. }
                | GroupRefused::NoRollout { .. }
                | GroupRefused::NothingBefore { .. }
                | GroupRefused::JobNotFound { .. } => StatusCode::CONFLICT,
                _ => StatusCode::BAD_REQUEST,
            };
            Fault::said(status, refused)
        }
        ClusterError::Store(error) => error.into(),
        other => Fault::unexpected(&other),
    }
}
