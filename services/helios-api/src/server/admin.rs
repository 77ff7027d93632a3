//! What operators ask.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use tokio::time::timeout;

use super::fault::{Fault, Reason};
use super::reply::json;
use super::state::MasterState;

/// How long the store may take to answer before it counts as gone.
const STORE_TIMEOUT: Duration = Duration::from_secs(2);

/// What operators and their tools ask. Belongs on a listener that only they reach: it says more of the
/// cluster than [`router`](super::router) does, and refuses nobody.
///
/// | path | answer |
/// |---|---|
/// | `/healthz` | 200 while the process lives |
/// | `/readyz` | 200 while the store answers, else 503 |
/// | `/metrics` | what Prometheus reads |
/// | `/ping`, `/healthcheck` | as the original master's admin port has them |
pub fn admin_router(state: MasterState) -> Router {
    let endpoints: [(&str, MethodRouter<MasterState>); 5] = [
        ("/healthz", get(|| async { "ok\n" })),
        ("/readyz", get(readyz)),
        ("/metrics", get(metrics)),
        ("/ping", get(|| async { "pong\n" })),
        ("/healthcheck", get(healthcheck)),
    ];
    let router = endpoints
        .into_iter()
        .fold(Router::new(), |router, (path, endpoint)| {
            let with_slash = format!("{path}/");
            router
                .route(path, endpoint.clone())
                .route(&with_slash, endpoint)
        });
    router.layer(map_response(uncached)).with_state(state)
}

async fn uncached(mut response: Response) -> Response {
    let value = HeaderValue::from_static("must-revalidate,no-cache,no-store");
    response.headers_mut().insert(CACHE_CONTROL, value);
    response
}

/// Why the store cannot be used, if it cannot.
async fn trouble(state: &MasterState) -> Option<String> {
    match timeout(STORE_TIMEOUT, state.cluster.id()).await {
        Ok(Ok(_)) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some(format!("the store did not answer within {STORE_TIMEOUT:?}")),
    }
}

async fn readyz(State(state): State<MasterState>) -> Response {
    match trouble(&state).await {
        None => "ready\n".into_response(),
        Some(what) => {
            let next = "look at the store, and at how this machine reaches it";
            Fault::Busy(Reason::new(what, next)).into_response()
        }
    }
}

async fn healthcheck(State(state): State<MasterState>) -> Response {
    match trouble(&state).await {
        None => {
            let healthy = serde_json::json!({ "store": { "healthy": true } });
            json(StatusCode::OK, &healthy)
        }
        Some(message) => {
            let sick = serde_json::json!({ "store": { "healthy": false, "message": message } });
            json(StatusCode::INTERNAL_SERVER_ERROR, &sick)
        }
    }
}

async fn metrics(State(state): State<MasterState>) -> Result<Response, Fault> {
    let fleet = state.fleet.view().await.ok();
    let text = state
        .metrics
        .report(fleet.as_ref())
        .map_err(|error| Fault::unexpected(&error))?;
    let open_metrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(CONTENT_TYPE, open_metrics)], text).into_response())
}
