//! Creating, editing and removing groups.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use helios_core::model::{DeploymentGroup, HostName};
use helios_rollout::rolling::{GroupRefused, Preview};

use super::{fault, groups};
use crate::server::body::JsonText;
use crate::server::fault::Fault;
use crate::server::params::{Names, Params};
use crate::server::reply::json;
use crate::server::state::MasterState;
use crate::wire::{
    CreateDeploymentGroupResponse, CreateGroupStatus, EditDeploymentGroupResponse, EditGroupStatus,
    RemoveDeploymentGroupResponse, RemoveGroupStatus,
};

/// `POST /deployment-group`
pub(super) async fn create(
    State(state): State<MasterState>,
    params: Params,
    body: JsonText,
) -> Result<Response, Fault> {
    let group: DeploymentGroup = body.read()?;
    let status = match groups(&state, &params).create(&group).await {
        Ok(true) => CreateGroupStatus::Created,
        Ok(false) => CreateGroupStatus::NotModified,
        Err(error) => match error.refused() {
            Some(GroupRefused::GroupExists { .. }) => CreateGroupStatus::Conflict,
            _ => return Err(fault(error)),
        },
    };
    Ok(json(
        StatusCode::OK,
        &CreateDeploymentGroupResponse { status },
    ))
}

/// `PUT /deployment-group/{group}`, or with `?preview=true` what that would change.
pub(super) async fn edit(
    State(state): State<MasterState>,
    names: Names,
    params: Params,
    body: JsonText,
) -> Result<Response, Fault> {
    let wanted: DeploymentGroup = body.read()?;
    let name = names.get("group");
    if wanted.name != name {
        let what = format!("the path names group {name:?}, the body {:?}", wanted.name);
        return Err(Fault::bad(what, "name the same one"));
    }
    let groups = groups(&state, &params);
    let selectors = &wanted.host_selectors;
    let preview = match groups.preview_edit(name, selectors).await {
        Ok(preview) => preview,
        Err(error) => match error.refused() {
            Some(GroupRefused::GroupNotFound { .. }) => {
                return Ok(edited(EditGroupStatus::GroupNotFound, Preview::default()));
            }
            _ => return Err(fault(error)),
        },
    };
    let status = if params.get("preview") == Some("true") {
        EditGroupStatus::Preview
    } else if groups.edit(name, selectors).await.map_err(fault)? {
        EditGroupStatus::Edited
    } else {
        EditGroupStatus::NotModified
    };
    Ok(edited(status, preview))
}

fn edited(status: EditGroupStatus, preview: Preview) -> Response {
    let text = |hosts: Vec<HostName>| hosts.iter().map(ToString::to_string).collect();
    let response = EditDeploymentGroupResponse {
        status,
        joining: text(preview.joining),
        leaving: text(preview.leaving),
        staying: preview.staying,
    };
    json(StatusCode::OK, &response)
}

/// `DELETE /deployment-group/{group}`
pub(super) async fn remove(
    State(state): State<MasterState>,
    names: Names,
    params: Params,
) -> Result<Response, Fault> {
    let status = match groups(&state, &params).remove(names.get("group")).await {
        Ok(_) => RemoveGroupStatus::Removed,
        Err(error) => match error.refused() {
            Some(GroupRefused::GroupNotFound { .. }) => RemoveGroupStatus::GroupNotFound,
            _ => return Err(fault(error)),
        },
    };
    Ok(json(
        StatusCode::OK,
        &RemoveDeploymentGroupResponse { status },
    ))
}
