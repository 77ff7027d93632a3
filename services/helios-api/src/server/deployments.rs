//! Endpoints about what should run where.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use helios_core::cluster::ClusterError;
use helios_core::model::{Deployment, HostName, Job, JobId};
use helios_core::ops::{Deploy, Refused, SetGoal, Undeploy};
use helios_core::schema::{Goals, HostRecord};

use super::body::JsonText;
use super::fault::Fault;
use super::params::{Names, Params};
use super::reply::json;
use super::route::{Needs, On, Route};
use super::state::MasterState;
use crate::wire::{
    DeployStatus, JobDeployResponse, JobUndeployResponse, SetGoalResponse, SetGoalStatus,
    UndeployStatus,
};

pub(super) fn routes() -> Vec<Route> {
    let path = "/hosts/{host}/jobs/{job}";
    let change = Needs::Deploy(On::Host);
    vec![
        Route::get(path, Needs::Read, "Shows a deployment", get).answers::<Deployment>(),
        Route::put(path, change, "Deploys a job on a host", deploy)
            .takes(&["token"])
            .reads::<Deployment>()
            .answers::<JobDeployResponse>(),
        Route::patch(path, change, "Sets the goal of a deployment", set_goal)
            .takes(&["token"])
            .reads::<Deployment>()
            .answers::<SetGoalResponse>(),
        Route::delete(path, change, "Undeploys a job from a host", undeploy)
            .takes(&["token"])
            .answers::<JobUndeployResponse>(),
    ]
}

/// `GET /hosts/{host}/jobs/{job}`
pub(super) async fn get(State(state): State<MasterState>, names: Names) -> Result<Response, Fault> {
    let id = names.full_job()?;
    let host = match names.host_name() {
        Some(host) => state.cluster.host(&host).await?,
        None => None,
    };
    let deployment = host.and_then(|host| Some(host.record.goals.get(&id)?.deployment()));
    let deployment = deployment.ok_or_else(|| {
        Fault::not_found(
            format!("job {id} is not deployed on {:?}", names.host()),
            "`helios status` shows where it is",
        )
    })?;
    Ok(json(StatusCode::OK, &deployment))
}

/// `PUT /hosts/{host}/jobs/{job}`
pub(super) async fn deploy(
    State(state): State<MasterState>,
    names: Names,
    params: Params,
    body: JsonText,
) -> Result<Response, Fault> {
    let id = names.job()?;
    let status = if id.is_fully_qualified() {
        let wanted: Deployment = body.read()?;
        try_deploy(&state, &names, &params, &id, &wanted).await?
    } else {
        DeployStatus::InvalidId
    };
    let code = match status {
        DeployStatus::Ok => StatusCode::OK,
        DeployStatus::Forbidden => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    };
    let (host, job) = echo(&names, id);
    Ok(json(code, &JobDeployResponse { status, host, job }))
}

async fn try_deploy(
    state: &MasterState,
    names: &Names,
    params: &Params,
    id: &JobId,
    wanted: &Deployment,
) -> Result<DeployStatus, Fault> {
    if wanted.job_id != *id {
        return Ok(DeployStatus::IdMismatch);
    }
    let Some(host) = names.host_name() else {
        let job = state.cluster.job(id).await?;
        return Ok(match unreachable_host(job.as_deref(), &params.token()) {
            Unreachable::NoJob => DeployStatus::JobNotFound,
            Unreachable::WrongToken => DeployStatus::Forbidden,
            Unreachable::NoHost => DeployStatus::HostNotFound,
        });
    };
    let request = Deploy {
        token: params.token(),
        user: params.user(),
        ..Deploy::new(host, id.clone(), wanted.goal)
    };
    let cluster = state.cluster_for(request.user.as_deref());
    match cluster.deploy(&request).await {
        Ok(()) => {
            shows_goals(state, &request.host, |goal| goal.contains_key(id)).await;
            Ok(DeployStatus::Ok)
        }
        Err(error) => match error.refused() {
            Some(Refused::JobNotFound { .. }) => Ok(DeployStatus::JobNotFound),
            Some(Refused::Forbidden { .. }) => Ok(DeployStatus::Forbidden),
            Some(Refused::HostNotFound { .. }) => Ok(DeployStatus::HostNotFound),
            Some(Refused::AlreadyDeployed { .. }) => Ok(DeployStatus::JobAlreadyDeployed),
            Some(Refused::PortConflict { .. }) => Ok(DeployStatus::PortConflict),
            _ => Err(error.into()),
        },
    }
}

/// `PATCH /hosts/{host}/jobs/{job}`
pub(super) async fn set_goal(
    State(state): State<MasterState>,
    names: Names,
    params: Params,
    body: JsonText,
) -> Result<Response, Fault> {
    let id = names.job()?;
    let wanted: Deployment = body.read()?;
    let status = try_set_goal(&state, &names, &params, &id, &wanted).await?;
    let code = match status {
        SetGoalStatus::Ok => StatusCode::OK,
        SetGoalStatus::Forbidden => StatusCode::FORBIDDEN,
        SetGoalStatus::IdMismatch => StatusCode::BAD_REQUEST,
        _ => StatusCode::NOT_FOUND,
    };
    let (host, job) = echo(&names, id);
    Ok(json(code, &SetGoalResponse { status, host, job }))
}

async fn try_set_goal(
    state: &MasterState,
    names: &Names,
    params: &Params,
    id: &JobId,
    wanted: &Deployment,
) -> Result<SetGoalStatus, Fault> {
    if wanted.job_id != *id {
        return Ok(SetGoalStatus::IdMismatch);
    }
    let Some(host) = names.host_name() else {
        let job = state.cluster.job(id).await?;
        return Ok(match unreachable_host(job.as_deref(), &params.token()) {
            Unreachable::NoJob => SetGoalStatus::JobNotDeployed,
            Unreachable::WrongToken => SetGoalStatus::Forbidden,
            Unreachable::NoHost => SetGoalStatus::HostNotFound,
        });
    };
    let request = SetGoal {
        token: params.token(),
        ..SetGoal::new(host, id.clone(), wanted.goal)
    };
    let cluster = state.cluster_for(params.user().as_deref());
    match cluster.set_goal(&request).await {
        Ok(()) => {
            let is_set = |goals: &Goals| goals.get(id).is_some_and(|goal| goal.goal == wanted.goal);
            shows_goals(state, &request.host, is_set).await;
            Ok(SetGoalStatus::Ok)
        }
        Err(error) => match error.refused() {
            Some(Refused::Forbidden { .. }) => Ok(SetGoalStatus::Forbidden),
            Some(Refused::HostNotFound { .. }) => Ok(SetGoalStatus::HostNotFound),
            Some(Refused::NotDeployed { .. }) => Ok(SetGoalStatus::JobNotDeployed),
            _ => Err(error.into()),
        },
    }
}

/// `DELETE /hosts/{host}/jobs/{job}`
pub(super) async fn undeploy(
    State(state): State<MasterState>,
    names: Names,
    params: Params,
) -> Result<Response, Fault> {
    let id = names.job()?;
    let status = match names.host_name() {
        _ if !id.is_fully_qualified() => UndeployStatus::InvalidId,
        None => UndeployStatus::HostNotFound,
        Some(host) => {
            let request = Undeploy {
                token: params.token(),
                ..Undeploy::new(host, id.clone())
            };
            try_undeploy(&state, &params, &request).await?
        }
    };
    let code = match status {
        UndeployStatus::Ok => StatusCode::OK,
        UndeployStatus::Forbidden => StatusCode::FORBIDDEN,
        UndeployStatus::InvalidId => StatusCode::BAD_REQUEST,
        UndeployStatus::HostNotFound | UndeployStatus::JobNotFound => StatusCode::NOT_FOUND,
    };
    let (host, job) = echo(&names, id);
    Ok(json(code, &JobUndeployResponse { status, host, job }))
}

async fn try_undeploy(
    state: &MasterState,
    params: &Params,
    request: &Undeploy,
) -> Result<UndeployStatus, ClusterError> {
    let cluster = state.cluster_for(params.user().as_deref());
    match cluster.undeploy(request).await {
        Ok(()) => {
            let is_gone = |goals: &Goals| !goals.concern(&request.job);
            shows_goals(state, &request.host, is_gone).await;
            Ok(UndeployStatus::Ok)
        }
        Err(error) => match error.refused() {
            Some(Refused::HostNotFound { .. }) => Ok(UndeployStatus::HostNotFound),
            Some(Refused::NotDeployed { .. }) => Ok(UndeployStatus::JobNotFound),
            Some(Refused::Forbidden { .. }) => Ok(UndeployStatus::Forbidden),
            _ => Err(error),
        },
    }
}

/// What stands in the way first when no host can be called what the request says.
enum Unreachable {
    NoJob,
    WrongToken,
    NoHost,
}

fn unreachable_host(job: Option<&Job>, token: &str) -> Unreachable {
    match job {
        None => Unreachable::NoJob,
        Some(job) if job.token != token => Unreachable::WrongToken,
        Some(_) => Unreachable::NoHost,
    }
}

/// Waits until reads show the host with such goals.
async fn shows_goals(state: &MasterState, host: &HostName, made: impl Fn(&Goals) -> bool) {
    let made = |record: &HostRecord| made(&record.goals);
    let shown = state
        .fleet
        .shows(|view| view.hosts.get(host).is_none_or(|host| made(host)));
    shown.await;
}

/// Host and job as the request named them. A name alone is no job id that clients could read.
fn echo(names: &Names, id: JobId) -> (Option<String>, Option<JobId>) {
    let job = Some(id).filter(|id| !id.version().is_empty());
    (Some(names.host().to_owned()), job)
}
