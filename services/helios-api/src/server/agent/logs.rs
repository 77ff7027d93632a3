//! What a job's container wrote.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use helios_core::agent::AgentStatus;
use helios_core::model::JobId;
use helios_core::runtime::ContainerId;

use super::super::fault::Fault;
use super::super::params::Params;
use super::AgentState;

/// The most lines of the past that are shown.
pub const LOG_LINES_MAX: usize = 10_000;

/// The most bytes of one answer, also of one that follows.
pub const LOG_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How many lines are shown unless the request says.
const LOG_LINES: usize = 100;

/// How many answers are given at a time.
pub(super) const READERS_MAX: usize = 16;

/// `GET /logs/{job}?tail=N&follow=true&previous=true&host=NAME`
pub(super) async fn read(
    State(state): State<AgentState>,
    Path(job): Path<String>,
    params: Params,
) -> Result<Response, Fault> {
    let because = |code, what: String, next| Err(Fault::because(code, what, next));
    // An address of loopback leads every machine to itself.
    if let Some(host) = params
        .non_empty("host")
        .filter(|host| *host != state.host.as_str())
    {
        let what = format!("this is the agent of {}, not of {host}", state.host);
        let next = "start that one with an --http-advertise that leads masters to it";
        return because(StatusCode::MISDIRECTED_REQUEST, what, next);
    }
    let Some(logs) = &state.logs else {
        let what = "the container engine of this host keeps no logs".to_owned();
        let next = "look where the job itself writes to";
        return because(StatusCode::NOT_IMPLEMENTED, what, next);
    };
    let tail = match params.non_empty("tail").map(str::parse::<usize>) {
        None => LOG_LINES,
        Some(Ok(lines)) => lines.min(LOG_LINES_MAX),
        Some(Err(_)) => {
            let what = "tail is not a number of lines".to_owned();
            return because(StatusCode::BAD_REQUEST, what, "give one, or leave it out");
        }
    };
    let follow = params.non_empty("follow") == Some("true");
    let previous = params.non_empty("previous") == Some("true");
    let container = match container(&state.status.now(), &job, previous) {
        Ok(container) => container,
        Err((what, next)) => return because(StatusCode::NOT_FOUND, what, next),
    };
    let Ok(place) = Arc::clone(&state.readers).try_acquire_owned() else {
        let what = format!("{READERS_MAX} logs are being read on this host");
        return because(StatusCode::SERVICE_UNAVAILABLE, what, "try again later");
    };
    let chunks = logs.logs(&container, tail, follow);
    let mut left = LOG_BYTES_MAX;
    let bounded = chunks.scan((), move |(), chunk| {
        let _held = &place;
        let size = chunk.as_ref().map_or(0, |chunk| chunk.len());
        let fits = left > 0;
        left = left.saturating_sub(size);
        std::future::ready(fits.then_some(chunk))
    });
    let text = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((text, Body::from_stream(bounded)).into_response())
}

/// Whose log is meant: the present container's, or the one's that ended last and is still kept. If there is none, what is
/// wrong, and what to do next.
fn container(
    status: &AgentStatus,
    job: &str,
    previous: bool,
) -> Result<ContainerId, (String, &'static str)> {
    let id: Option<JobId> = job.parse().ok();
    if previous {
        let dead = id.and_then(|id| status.dead.get(&id).cloned());
        let what = format!("no dead container of {job} is kept on this host");
        return dead.ok_or((
            what,
            "the agent's --keep-dead and --keep-dead-for say for how long one is",
        ));
    }
    let task = id.and_then(|id| status.tasks.get(&id).cloned());
    let task = task.ok_or_else(|| {
        let what = format!("there is no job {job} on this host");
        (what, "`helios status` shows where it is")
    })?;
    let container = task.container_id.map(ContainerId::new);
    container.ok_or_else(|| {
        let what = format!("{job} has no container yet");
        (what, "look again when it is running")
    })
}
