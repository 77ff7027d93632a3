//! Endpoints about what happened to jobs.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use helios_core::Timestamp;
use helios_core::model::HostName;
use serde::Serialize;

use super::fault::Fault;
use super::page::Page;
use super::params::{Names, Params};
use super::reply::json;
use super::route::{Needs, Route};
use super::shown::{JobText, ShownTask, shown_env};
use super::state::MasterState;
use crate::wire::{HistoryStatus, TaskStatusEvents};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(
            "/history/jobs/{job}",
            Needs::Read,
            "Tells what happened to a job on all hosts, oldest first",
            of_job,
        )
        .takes(&["host", "limit"])
        .answers::<TaskStatusEvents>(),
    ]
}

/// An event in the shape of [`wire::TaskStatusEvent`](crate::wire::TaskStatusEvent).
#[derive(Serialize)]
struct ShownEvent<'a> {
    status: ShownTask<'a>,
    timestamp: Timestamp,
    host: &'a HostName,
}

/// The answer in the shape of [`wire::TaskStatusEvents`](crate::wire::TaskStatusEvents).
#[derive(Serialize)]
struct ShownEvents<'a> {
    events: Vec<ShownEvent<'a>>,
    status: HistoryStatus,
}

/// `GET /history/jobs/{job}`
///
/// With `?host=NAME` of that host alone; with `?limit=NUMBER` that many of the last events.
async fn of_job(
    State(state): State<MasterState>,
    names: Names,
    params: Params,
    page: Page,
) -> Result<Response, Fault> {
    let id = names.full_job()?;
    let Some(job) = state.cluster.job(&id).await? else {
        let events = TaskStatusEvents {
            events: Vec::new(),
            status: HistoryStatus::JobIdNotFound,
        };
        return Ok(json(StatusCode::OK, &events));
    };
    let histories = state.cluster.history(&id).await?;
    let view = state.fleet.view().await?;
    let text = JobText::of(&job)?;
    let mut events = Vec::new();
    let host = params.non_empty("host");
    let meant = |name: &HostName| host.is_none_or(|host| name.as_str() == host);
    for (host, history) in histories.iter().filter(|(name, _)| meant(name)) {
        let report = view.reports.get(host).map(|report| &**report);
        events.extend(history.events.iter().map(|event| ShownEvent {
            status: ShownTask {
                job: text.shown(),
                task: &event.task,
                env: shown_env(host, report, &job, &event.task),
            },
            timestamp: event.at,
            host,
        }));
    }
    // Stable: of what happened on one host at one time, the order is kept.
    events.sort_by_key(|event| event.timestamp);
    let older = page
        .limit()
        .map_or(0, |limit| events.len().saturating_sub(limit));
    events.drain(..older);
    let status = HistoryStatus::Ok;
    Ok(json(StatusCode::OK, &ShownEvents { events, status }))
}
