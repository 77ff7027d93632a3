//! What an agent answers on its own machine: read-only, and for people and tools that are there already.

mod logs;
mod metrics;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use helios_core::agent::StatusReader;
use helios_core::model::{Deployment, HostName, JobId};
use helios_core::runtime::Logs;
use serde_json::json;
use tokio::sync::Semaphore;

use super::fault::Fault;
use super::reply::json as answer;

pub use logs::{LOG_BYTES_MAX, LOG_LINES_MAX};

/// What an agent's router works with. A clone is the same agent.
#[derive(Clone)]
pub struct AgentState {
    host: HostName,
    status: StatusReader,
    logs: Option<Arc<dyn Logs>>,
    readers: Arc<Semaphore>,
}

impl AgentState {
    /// The agent of that host with that status, which shows no logs.
    #[must_use]
    pub fn new(host: HostName, status: StatusReader) -> Self {
        Self {
            host,
            status,
            logs: None,
            readers: Arc::new(Semaphore::new(logs::READERS_MAX)),
        }
    }

    /// This agent, showing what its containers write.
    #[must_use]
    pub fn logs(self, logs: Arc<dyn Logs>) -> Self {
        Self {
            logs: Some(logs),
            ..self
        }
    }
}

impl fmt::Debug for AgentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentState").finish_non_exhaustive()
    }
}

/// What can be asked of an agent. Everything is read, and nothing is changed.
///
/// | path | answer |
/// |---|---|
/// | `/tasks` | what should run here: by job, its deployment |
/// | `/statuses` | what the agent reports of it: by job, its state |
/// | `/health` | 200 while the agent acts for its host and reads its engine, else 503; what is wrong in either case |
/// | `/metrics` | what Prometheus reads |
/// | `/logs/{job}` | what the job's container wrote: `tail` lines, and with `follow=true` all that comes; with `previous=true` that of the last dead one; refused if `host` is said and is another |
pub fn agent_router(state: AgentState) -> Router {
    Router::new()
        .route("/tasks", get(tasks))
        .route("/statuses", get(statuses))
        .route("/health", get(health))
        .route("/metrics", get(measure))
        .route("/logs/{job}", get(logs::read))
        .with_state(state)
}

async fn tasks(State(state): State<AgentState>) -> Response {
    let status = state.status.now();
    let goals = status.goals.iter();
    let tasks: BTreeMap<&JobId, Deployment> =
        goals.map(|(id, goal)| (id, goal.deployment())).collect();
    answer(StatusCode::OK, &tasks)
}

async fn statuses(State(state): State<AgentState>) -> Response {
    answer(StatusCode::OK, &*state.status.now().tasks)
}

async fn health(State(state): State<AgentState>) -> Response {
    let status = state.status.now();
    let is_healthy = status.is_member && status.reads_engine;
    let code = if is_healthy {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let health = json!({
        "healthy": is_healthy,
        "member": status.is_member,
        "engine": status.reads_engine,
        "problems": status.problems,
    });
    answer(code, &health)
}

async fn measure(State(state): State<AgentState>) -> Result<Response, Fault> {
    let text = metrics::text(&state.status.now()).map_err(|error| Fault::unexpected(&error))?;
    let open_metrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(CONTENT_TYPE, open_metrics)], text).into_response())
}
