//! Endpoints about masters and versions.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use helios_core::cluster::FleetView;

use super::fault::Fault;
use super::fleet_cache::FleetCache;
use super::list_filter::ListFilter;
use super::params::Params;
use super::reply::{json, to_json};
use super::route::{Needs, Route};
use super::waiting::Waiting;
use crate::version::{PROTOCOL_VERSION, VersionStatus};
use crate::wire::VersionCheckResponse;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/masters", Needs::Read, "Lists the masters that run", list)
            .takes(&["namePattern", "limit", "after", "wait"])
            .answers::<Vec<String>>(),
        Route::get(
            "/version",
            Needs::Nothing,
            "Shows the version of the protocol",
            version,
        )
        .answers_as::<String>("text/plain"),
        Route::get(
            "/version/check",
            Needs::Nothing,
            "Says whether a client's version is understood",
            check_version,
        )
        .takes(&["client"])
        .answers::<VersionCheckResponse>(),
    ]
}

/// `GET /masters`
pub(super) async fn list(
    State(fleet): State<FleetCache>,
    filter: ListFilter,
    waiting: Waiting,
) -> Result<Response, Fault> {
    let make = |view: &FleetView| to_json(&filter.of(view.masters.names(), |name| name.as_str()));
    fleet.answer(&waiting, make).await
}

/// `GET /version`
pub(super) async fn version() -> Response {
    let quoted = format!("\"{PROTOCOL_VERSION}\"");
    ([(CONTENT_TYPE, "text/plain")], quoted).into_response()
}

/// `GET /version/check`
pub(super) async fn check_version(params: Params) -> Result<Response, Fault> {
    let client = params.get("client");
    let status = PROTOCOL_VERSION.judge_text(client);
    if status == VersionStatus::Invalid {
        let client = client.unwrap_or_default();
        return Err(Fault::bad(
            format!("{client:?} is no version"),
            "use major.minor.patch",
        ));
    }
    let response = VersionCheckResponse {
        status,
        recommended_version: PROTOCOL_VERSION.to_string(),
        server_version: PROTOCOL_VERSION.into(),
    };
    Ok(json(StatusCode::OK, &response))
}
