//! Endpoints about hosts.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use helios_core::cluster::FleetView;
use helios_core::model::{HostName, HostSelector, natural_cmp};
use helios_core::ops::{Refused, RegisterHost};
use helios_core::schema::Keys;

use super::body::{JsonText, LIST_BYTES_MAX};
use super::fault::Fault;
use super::fleet_cache::FleetCache;
use super::params::{Names, Params};
use super::pattern::Pattern;
use super::reply::{json, json_text, to_json};
use super::route::{Needs, Route};
use super::shown::{JobTexts, ShownHost};
use super::state::MasterState;
use super::waiting::Waiting;
use crate::wire::{
    DeregisterStatus, HostDeregisterResponse, HostRegisterResponse, HostState, RegisterStatus,
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/hosts", Needs::Read, "Lists hosts", list),
        Route::put("/hosts/{host}", Needs::Admin, "Registers a host", register),
        Route::delete(
            "/hosts/{host}",
            Needs::Admin,
            "Deregisters a host, with all its deployments",
            deregister,
        ),
        Route::get(
            "/hosts/{host}/status",
            Needs::Read,
            "Shows a host, and what runs on it",
            status,
        ),
        Route::get(
            "/hosts/statuses",
            Needs::Read,
            "Shows all hosts, and what runs on them",
            all_statuses,
        ),
        Route::post(
            "/hosts/statuses",
            Needs::Read,
            "Shows hosts, and what runs on them",
            statuses,
        ),
    ]
}

/// `GET /hosts`
pub(super) async fn list(
    State(fleet): State<FleetCache>,
    params: Params,
    waiting: Waiting,
) -> Result<Response, Fault> {
    let pattern = params
        .non_empty("namePattern")
        .map(Pattern::new)
        .transpose()?;
    let selectors: Vec<HostSelector> = params
        .all("selector")
        .map(str::parse)
        .collect::<Result<_, _>>()
        .map_err(|error: helios_core::model::ParseError| {
            Fault::InvalidSelector(error.to_string())
        })?;
    let make = |view: &FleetView| {
        let mut hosts: Vec<&str> = view
            .hosts
            .names()
            .filter(|host| {
                pattern
                    .as_ref()
                    .is_none_or(|pattern| pattern.matches(host.as_str()))
            })
            .filter(|host| selectors.is_empty() || has_labels(view, host, &selectors))
            .map(HostName::as_str)
            .collect();
        hosts.sort_by(|a, b| natural_cmp(a, b));
        to_json(&hosts)
    };
    fleet.answer(&waiting, make).await
}

fn has_labels(view: &FleetView, host: &HostName, selectors: &[HostSelector]) -> bool {
    let report = view.host(host).and_then(|host| host.report);
    report.is_some_and(|report| HostSelector::all_match(selectors, &report.labels))
}

/// `PUT /hosts/{host}`
pub(super) async fn register(
    State(state): State<MasterState>,
    names: Names,
    params: Params,
) -> Result<Response, Fault> {
    let agent_id = params.non_empty("id").map(str::to_owned);
    let (Some(host), Some(agent_id)) = (names.host_name(), agent_id) else {
        let response = HostRegisterResponse {
            status: RegisterStatus::InvalidId,
            host: names.host().to_owned(),
        };
        return Ok(json(StatusCode::BAD_REQUEST, &response));
    };
    let request = RegisterHost { host, agent_id };
    let cluster = state.cluster_for(params.user().as_deref());
    match cluster.register_host(&request).await {
        Ok(()) => {
            state
                .fleet
                .shows(|view| view.hosts.get(&request.host).is_some())
                .await;
            Ok(json(StatusCode::OK, &"OK"))
        }
        Err(error) => match error.refused() {
            Some(taken @ Refused::HostTaken { .. }) => {
                Err(Fault::Because(StatusCode::CONFLICT, taken.to_string()))
            }
            _ => Err(error.into()),
        },
    }
}

/// `DELETE /hosts/{host}`
pub(super) async fn deregister(
    State(state): State<MasterState>,
    names: Names,
    params: Params,
) -> Result<Response, Fault> {
    let answer = |code, status| {
        let host = names.host().to_owned();
        Ok(json(code, &HostDeregisterResponse { status, host }))
    };
    let Some(host) = names.host_name() else {
        return answer(StatusCode::NOT_FOUND, DeregisterStatus::NotFound);
    };
    let cluster = state.cluster_for(params.user().as_deref());
    match cluster.deregister_host(&host).await {
        Ok(()) => {
            state
                .fleet
                .shows(|view| view.hosts.get(&host).is_none())
                .await;
            answer(StatusCode::OK, DeregisterStatus::Ok)
        }
        Err(error) => match error.refused() {
            Some(Refused::HostNotFound { .. }) => {
                answer(StatusCode::NOT_FOUND, DeregisterStatus::NotFound)
            }
            _ => Err(error.into()),
        },
    }
}

/// `GET /hosts/{host}/status`
pub(super) async fn status(
    State(fleet): State<FleetCache>,
    names: Names,
    params: Params,
    waiting: Waiting,
) -> Result<Response, Fault> {
    let host = names.host_name();
    let make = |view: &FleetView| {
        if let Some(host) = &host {
            check_readable(view, host)?;
        }
        let texts = JobTexts::default();
        let status = host
            .as_ref()
            .and_then(|host| ShownHost::find(view, host, &texts))
            .filter(|host| is_wanted(host.state(), &params));
        let unknown = || Fault::not_found(format!("there is no such host: {:?}", names.host()));
        to_json(&status.ok_or_else(unknown)?)
    };
    fleet.answer(&waiting, make).await
}

/// What cannot be read is not taken for absent.
fn check_readable(view: &FleetView, host: &HostName) -> Result<(), Fault> {
    let key = Keys::host(host);
    match view
        .hosts
        .unreadable()
        .find(|unreadable| unreadable.key == key)
    {
        Some(unreadable) => Err(Fault::Because(
            StatusCode::INTERNAL_SERVER_ERROR,
            unreadable.to_string(),
        )),
        None => Ok(()),
    }
}

/// Whether that is the state that was asked for, if one was.
fn is_wanted(state: HostState, params: &Params) -> bool {
    params
        .non_empty("status")
        .is_none_or(|wanted| state.as_str() == wanted)
}

/// `GET /hosts/statuses`: of all hosts.
pub(super) async fn all_statuses(
    State(fleet): State<FleetCache>,
    params: Params,
    waiting: Waiting,
) -> Result<Response, Fault> {
    let make = |view: &FleetView| statuses_of(view, view.hosts.names(), &params);
    fleet.answer(&waiting, make).await
}

/// `POST /hosts/statuses`: of the hosts that the body lists.
pub(super) async fn statuses(
    State(fleet): State<FleetCache>,
    params: Params,
    body: JsonText<LIST_BYTES_MAX>,
) -> Result<Response, Fault> {
    let names: Vec<String> = body.read()?;
    let hosts: Vec<HostName> = names.iter().filter_map(|name| name.parse().ok()).collect();
    let view = fleet.view().await?;
    let text = statuses_of(&view, &hosts, &params)?;
    Ok(json_text(StatusCode::OK, text))
}

fn statuses_of<'a>(
    view: &FleetView,
    hosts: impl IntoIterator<Item = &'a HostName>,
    params: &Params,
) -> Result<Vec<u8>, Fault> {
    let texts = JobTexts::of(view);
    let known = hosts.into_iter().filter_map(|name| {
        let host = ShownHost::find(view, name, &texts)?;
        is_wanted(host.state(), params).then_some((name, host))
    });
    let statuses: BTreeMap<&HostName, ShownHost<'_>> = known.collect();
    to_json(&statuses)
}
