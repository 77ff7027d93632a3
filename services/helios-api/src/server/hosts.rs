//! Endpoints about hosts.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use helios_core::cluster::FleetView;
use helios_core::model::{HostName, natural_cmp};
use helios_core::ops::{Refused, RegisterHost};
use helios_core::schema::Keys;
use schemars::JsonSchema;

use super::body::{JsonText, LIST_BYTES_MAX};
use super::fault::Fault;
use super::fleet_cache::FleetCache;
use super::host_filter::HostFilter;
use super::page::Page;
use super::params::{Names, Params};
use super::reply::{json, json_text, to_json};
use super::route::{Needs, Route};
use super::state::MasterState;
use super::waiting::Waiting;
use crate::wire::{
    DeregisterStatus, HostDeregisterResponse, HostRegisterResponse, HostStatus, RegisterStatus,
};

/// How a list of hosts is narrowed, paged and waited for.
const LISTED: &[&str] = &[
    "namePattern",
    "selector",
    "status=UP|DOWN",
    "limit",
    "after",
    "wait",
];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/hosts", Needs::Read, "Lists hosts", list)
            .takes(LISTED)
            .answers::<Vec<String>>(),
        Route::put("/hosts/{host}", Needs::Admin, "Registers a host", register)
            .takes(&["id"])
            .answers::<Registration>(),
        Route::delete(
            "/hosts/{host}",
            Needs::Admin,
            "Deregisters a host, with all its deployments",
            deregister,
        )
        .answers::<HostDeregisterResponse>(),
        Route::get(
            "/hosts/{host}/status",
            Needs::Read,
            "Shows a host, and what runs on it",
            status,
        )
        .takes(&["status=UP|DOWN", "wait"])
        .answers::<HostStatus>(),
        Route::get(
            "/hosts/statuses",
            Needs::Read,
            "Shows all hosts, and what runs on them",
            all_statuses,
        )
        .takes(LISTED)
        .answers::<BTreeMap<HostName, HostStatus>>(),
        Route::post(
            "/hosts/statuses",
            Needs::Read,
            "Shows hosts, and what runs on them",
            statuses,
        )
        .takes(&[
            "namePattern",
            "selector",
            "status=UP|DOWN",
            "limit",
            "after",
        ])
        .reads::<Vec<String>>()
        .answers::<BTreeMap<HostName, HostStatus>>(),
    ]
}

/// The text `OK`, or why a host is not registered.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "it is only described")]
enum Registration {
    Ok(String),
    Refused(HostRegisterResponse),
}

/// `GET /hosts`
pub(super) async fn list(
    State(fleet): State<FleetCache>,
    filter: HostFilter,
    page: Page,
    waiting: Waiting,
) -> Result<Response, Fault> {
    let make = |view: &FleetView| {
        let mut hosts: Vec<&str> = filter.of(view).into_iter().map(HostName::as_str).collect();
        hosts.sort_by(|a, b| natural_cmp(a, b));
        let follows = |host: &&str, after: &str| natural_cmp(host, after).is_gt();
        to_json(&page.of(hosts, follows).collect::<Vec<_>>())
    };
    fleet.answer(&waiting, make).await
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
                Err(Fault::said(StatusCode::CONFLICT, taken))
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
    filter: HostFilter,
    waiting: Waiting,
) -> Result<Response, Fault> {
    let host = names.host_name();
    let make = |view: &FleetView| {
        if let Some(host) = &host {
            check_readable(view, host)?;
        }
        let found = host
            .as_ref()
            .and_then(|name| Some((name, view.host(name)?)));
        let (name, host) = found
            .filter(|(_, host)| filter.means_state(host))
            .ok_or_else(|| unknown_host(&names))?;
        fleet.texts.status(view, name, host)
    };
    fleet.answer(&waiting, make).await
}

pub(super) fn unknown_host(names: &Names) -> Fault {
    Fault::not_found(
        format!("there is no such host: {:?}", names.host()),
        "`helios hosts` lists those there are",
    )
}

/// What cannot be read is not taken for absent.
fn check_readable(view: &FleetView, host: &HostName) -> Result<(), Fault> {
    let key = Keys::host(host);
    match view
        .hosts
        .unreadable()
        .find(|unreadable| unreadable.key == key)
    {
        Some(unreadable) => Err(Fault::because(
            StatusCode::INTERNAL_SERVER_ERROR,
            unreadable,
            "look at its access list in the store, or at who else writes there",
        )),
        None => Ok(()),
    }
}

/// `GET /hosts/statuses`: of all hosts that are meant.
pub(super) async fn all_statuses(
    State(fleet): State<FleetCache>,
    filter: HostFilter,
    page: Page,
    waiting: Waiting,
) -> Result<Response, Fault> {
    let make = |view: &FleetView| {
        let hosts = filter.of(view);
        let hosts = page.of(hosts, |host, after| host.as_str() > after);
        fleet.texts.object(view, hosts)
    };
    fleet.answer(&waiting, make).await
}

/// `POST /hosts/statuses`: of the hosts that the body lists.
pub(super) async fn statuses(
    State(fleet): State<FleetCache>,
    filter: HostFilter,
    page: Page,
    body: JsonText<LIST_BYTES_MAX>,
) -> Result<Response, Fault> {
    let names: Vec<String> = body.read()?;
    let hosts: BTreeSet<HostName> = names.iter().filter_map(|name| name.parse().ok()).collect();
    let view = fleet.view().await?;
    let hosts = filter.among(&view, &hosts);
    let hosts = page.of(hosts, |host, after| host.as_str() > after);
    let text = fleet.texts.object(&view, hosts)?;
    Ok(json_text(StatusCode::OK, text))
}
