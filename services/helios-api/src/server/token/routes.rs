//! Endpoints about access tokens.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use helios_core::cluster::ClusterError;
use schemars::JsonSchema;
use serde::Serialize;

use super::{TokenRefused, Tokens};
use crate::server::body::JsonText;
use crate::server::fault::Fault;
use crate::server::list_filter::ListFilter;
use crate::server::params::{Names, Params};
use crate::server::reply::json;
use crate::server::route::{Needs, Route};
use crate::server::state::MasterState;
use crate::wire::{CreatedToken, NewToken, TokenInfo};

pub(in crate::server) fn routes() -> Vec<Route> {
    let (path, one) = ("/tokens", "/tokens/{token}");
    vec![
        Route::get(path, Needs::Admin, "Lists access tokens", list)
            .takes(&["namePattern", "limit", "after"])
            .answers::<Vec<TokenInfo>>(),
        Route::post(path, Needs::Admin, "Creates an access token", create)
            .reads::<NewToken>()
            .answers::<CreatedToken>(),
        Route::delete(one, Needs::Admin, "Revokes an access token", revoke).answers::<Revoked>(),
    ]
}

/// The answer to `DELETE /tokens/{token}`.
#[derive(JsonSchema, Serialize)]
#[serde(tag = "status", rename_all = "UPPERCASE")]
enum Revoked {
    /// The token is good no more.
    Ok {},
}

/// `GET /tokens`
async fn list(State(state): State<MasterState>, filter: ListFilter) -> Result<Response, Fault> {
    let tokens: Vec<TokenInfo> = Tokens::of(state.cluster.clone()).list().await?;
    let tokens = filter.of(tokens, |token| &token.name);
    Ok(json(StatusCode::OK, &tokens))
}

/// `POST /tokens`
async fn create(
    State(state): State<MasterState>,
    params: Params,
    body: JsonText,
) -> Result<Response, Fault> {
    let new: NewToken = body.read()?;
    let tokens = Tokens::of(state.cluster_for(params.user().as_deref()));
    let created = tokens.create(&new).await.map_err(fault)?;
    Ok(json(StatusCode::OK, &created))
}

/// `DELETE /tokens/{token}`
async fn revoke(
    State(state): State<MasterState>,
    names: Names,
    params: Params,
) -> Result<Response, Fault> {
    let tokens = Tokens::of(state.cluster_for(params.user().as_deref()));
    tokens.revoke(names.get("token")).await.map_err(fault)?;
    Ok(json(StatusCode::OK, &Revoked::Ok {}))
}

fn fault(error: ClusterError<TokenRefused>) -> Fault {
    match error {
        ClusterError::Refused(refused) => {
            let status = match refused {
                TokenRefused::BadName(_) => StatusCode::BAD_REQUEST,
                TokenRefused::Taken(_) => StatusCode::CONFLICT,
                TokenRefused::NotFound(_) => StatusCode::NOT_FOUND,
            };
            Fault::said(status, refused)
        }
        ClusterError::Store(error) => error.into(),
        other => Fault::unexpected(&other),
    }
}
