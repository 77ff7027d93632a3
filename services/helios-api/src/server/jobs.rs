//! Endpoints about jobs.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use helios_core::cluster::{ClusterError, FleetView};
use helios_core::model::{Job, JobId};
use helios_core::ops::{CreateJob, Refused, RemoveJob};

use super::body::{JsonText, LIST_BYTES_MAX};
use super::fault::Fault;
use super::fleet_cache::FleetCache;
use super::job_filter::JobFilter;
use super::params::{Names, Params};
use super::reply::{json, to_json};
use super::route::{Needs, On, Route};
use super::shown::ShownJobStatus;
use super::state::MasterState;
use super::waiting::Waiting;
use crate::wire::{CreateJobResponse, CreateStatus, DeleteStatus, JobDeleteResponse, JobStatus};

pub(super) fn routes() -> Vec<Route> {
    let deploy = Needs::Deploy(On::Jobs);
    vec![
        Route::get("/jobs", Needs::Read, "Lists jobs", list)
            .takes(&["q", "hostPattern", "limit", "after", "wait"])
            .answers::<BTreeMap<JobId, Job>>(),
        Route::post("/jobs", deploy, "Creates a job", create)
            .reads::<Job>()
            .answers::<CreateJobResponse>(),
        Route::get("/jobs/{job}", Needs::Read, "Shows a job", get).answers::<Job>(),
        Route::delete("/jobs/{job}", deploy, "Removes a job", delete)
            .takes(&["token"])
            .answers::<JobDeleteResponse>(),
        Route::get(
            "/jobs/{job}/status",
            Needs::Read,
            "Shows where a job is deployed, and how it is doing there",
            status,
        )
        .takes(&["wait"])
        .answers::<JobStatus>(),
        Route::post(
            "/jobs/statuses",
            Needs::Read,
            "Shows where jobs are deployed, and how they are doing there",
            statuses,
        )
        .takes(&["q", "hostPattern", "limit", "after"])
        .reads::<Vec<JobId>>()
        .answers::<BTreeMap<JobId, JobStatus>>(),
    ]
}

/// `GET /jobs`
pub(super) async fn list(
    State(fleet): State<FleetCache>,
    filter: JobFilter,
    waiting: Waiting,
) -> Result<Response, Fault> {
    let make = |view: &FleetView| {
        let ids = filter.of(view, view.jobs.names());
        let jobs = ids
            .into_iter()
            .filter_map(|id| Some((id, &*view.jobs.get(id)?.job)));
        to_json(&jobs.collect::<BTreeMap<&JobId, &Job>>())
    };
    fleet.answer(&waiting, make).await
}

/// `GET /jobs/{job}`
pub(super) async fn get(State(state): State<MasterState>, names: Names) -> Result<Response, Fault> {
    let id = names.full_job()?;
    let job = state.cluster.job(&id).await?;
    let job = job.ok_or_else(|| unknown(&id))?;
    Ok(json(StatusCode::OK, &*job))
}

/// `POST /jobs`
pub(super) async fn create(
    State(state): State<MasterState>,
    params: Params,
    body: JsonText,
) -> Result<Response, Fault> {
    let request = CreateJob {
        job: body.read_job()?,
        user: params.user(),
        allowed_capabilities: BTreeSet::clone(&state.allowed_capabilities),
    };
    let cluster = state.cluster_for(request.user.as_deref());
    let refused = match cluster.create_job(&request).await {
        Ok(id) => {
            state.fleet.shows(|view| view.jobs.get(&id).is_some()).await;
            return Ok(created(StatusCode::OK, CreateStatus::Ok, &id, Vec::new()));
        }
        Err(ClusterError::Refused(refused)) => refused,
        Err(error) => return Err(error.into()),
    };
    let bad = StatusCode::BAD_REQUEST;
    match &refused {
        Refused::InvalidJob { id, violations } => {
            let errors = violations
                .iter()
                .map(|violation| violation.message.clone())
                .collect();
            Ok(created(bad, CreateStatus::InvalidJobDefinition, id, errors))
        }
        Refused::JobAlreadyExists { id, .. } => {
            Ok(created(bad, CreateStatus::JobAlreadyExists, id, Vec::new()))
        }
        other => Err(Fault::said(bad, other)),
    }
}

fn created(code: StatusCode, status: CreateStatus, id: &JobId, errors: Vec<String>) -> Response {
    let id = Some(id.to_string());
    json(code, &CreateJobResponse { status, errors, id })
}

/// `DELETE /jobs/{job}`
pub(super) async fn delete(
    State(state): State<MasterState>,
    names: Names,
    params: Params,
) -> Result<Response, Fault> {
    let request = RemoveJob {
        job: names.full_job()?,
        token: params.token(),
    };
    let cluster = state.cluster_for(params.user().as_deref());
    let (code, status) = match cluster.remove_job(&request).await {
        Ok(()) => {
            state
                .fleet
                .shows(|view| view.jobs.get(&request.job).is_none())
                .await;
            (StatusCode::OK, DeleteStatus::Ok)
        }
        Err(error) => match error.refused() {
            Some(Refused::JobNotFound { .. }) => (StatusCode::NOT_FOUND, DeleteStatus::JobNotFound),
            Some(Refused::Forbidden { .. }) => (StatusCode::FORBIDDEN, DeleteStatus::Forbidden),
            Some(Refused::StillInUse { .. }) => (StatusCode::BAD_REQUEST, DeleteStatus::StillInUse),
            _ => return Err(error.into()),
        },
    };
    Ok(json(code, &JobDeleteResponse { status }))
}

/// `GET /jobs/{job}/status`
pub(super) async fn status(
    State(fleet): State<FleetCache>,
    names: Names,
    waiting: Waiting,
) -> Result<Response, Fault> {
    let id = names.full_job()?;
    let make = |view: &FleetView| {
        let status = view.job_status(&id).ok_or_else(|| unknown(&id))?;
        to_json(&ShownJobStatus { status, view })
    };
    fleet.answer(&waiting, make).await
}

/// `POST /jobs/statuses`: of the jobs that the body lists.
pub(super) async fn statuses(
    State(fleet): State<FleetCache>,
    filter: JobFilter,
    body: JsonText<LIST_BYTES_MAX>,
) -> Result<Response, Fault> {
    let ids: Vec<JobId> = body.read()?;
    if let Some(id) = ids.iter().find(|id| !id.is_fully_qualified()) {
        return Err(Fault::InvalidId(format!("Invalid id {id}")));
    }
    let view = fleet.view().await?;
    let ids: BTreeSet<JobId> = ids.into_iter().collect();
    let known = ids.iter().filter(|id| view.jobs.get(id).is_some());
    let statuses = view.job_statuses(filter.of(&view, known));
    let view = &view;
    let shown = statuses
        .into_iter()
        .map(|(id, status)| (id, ShownJobStatus { status, view }));
    Ok(json(StatusCode::OK, &shown.collect::<BTreeMap<_, _>>()))
}

fn unknown(id: &JobId) -> Fault {
    Fault::not_found(
        format!("there is no job {id}"),
        "`helios jobs` lists those there are",
    )
}
